package luciola.protocol.control;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Of a server that lets callers show a certificate: the handshake proves that the caller has its
 * key, and nothing else is looked at then. Who it is, and whether that is believed, is decided with
 * each call, so that who is refused is told why, and the refusal is on record. Never of a caller.
 */
final class PossessionOnly extends X509ExtendedTrustManager {
  private static final X509Certificate[] NONE = {};

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind) {}

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
      throws CertificateException {
    throw notOfCallers();
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
      throws CertificateException {
    throw notOfCallers();
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
    throw notOfCallers();
  }

  private static CertificateException notOfCallers() {
    return new CertificateException("this server calls nobody by this");
  }

  /** None: callers are not told who is believed. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return NONE.clone();
  }
}
