package luciola.meta.log;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is believed to be a member: whose certificate is listed, or is signed by an authority that is
 * listed; in either case within the time for which it is good. A member that is called has to have
 * it for the address by which it is called. Threads of connections.
 */
final class MemberTrust extends X509ExtendedTrustManager {
  private static final Logger LOG = LoggerFactory.getLogger(MemberTrust.class);
  private static final X509Certificate[] NONE = {};

  /** Between two refusals that are logged: callers must not fill the log. */
  private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final X509ExtendedTrustManager listed;
  private final AtomicLong saidNanos = new AtomicLong(System.nanoTime() - QUIET_NANOS);

  private MemberTrust(X509ExtendedTrustManager listed) {
    this.listed = listed;
  }

  /**
   * Reads who they are.
   *
   * @throws LuciolaException INVALID_ARGUMENT if a file cannot be used, or if this member would be
   *     refused by the others
   */
  static MemberTrust of(MemberTls tls) {
    MemberTrust trust = new MemberTrust(listed(tls.members()));
    X509Certificate[] own = read(tls.certificate()).toArray(NONE);
    try {
      trust.listed.checkClientTrusted(own, own[0].getPublicKey().getAlgorithm());
      own[0].checkValidity();
    } catch (CertificateException refused) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "this server's certificate is not one of a member: certificate="
              + tls.certificate()
              + " memberCertificates="
              + tls.members()
              + " cause="
              + refused.getMessage(),
          refused);
    }
    return trust;
  }

  private static List<X509Certificate> read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      List<X509Certificate> found = new ArrayList<>();
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        found.add((X509Certificate) one);
      }
      if (found.isEmpty()) {
        throw new CertificateException("no certificate is in it");
      }
      return found;
    } catch (IOException | CertificateException e) {
      throw unusable(file, e);
    }
  }

  private static X509ExtendedTrustManager listed(Path file) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (X509Certificate one : read(file)) {
        store.setCertificateEntry("member-" + store.size(), one);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      for (TrustManager made : factory.getTrustManagers()) {
        if (made instanceof X509ExtendedTrustManager extended) {
          return extended;
        }
      }
      throw new GeneralSecurityException("this platform checks no certificates");
    } catch (IOException | GeneralSecurityException e) {
      throw unusable(file, e);
    }
  }

  private static LuciolaException unusable(Path file, Exception cause) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT, "tls: cannot use " + file + " cause=" + cause, cause);
  }

  private interface Check {
    void run() throws CertificateException;
  }

  /** A certificate that is listed itself is believed by the platform whatever its time is. */
  private void check(X509Certificate[] chain, Check check) throws CertificateException {
    try {
      check.run();
      chain[0].checkValidity();
    } catch (CertificateException refused) {
      long now = System.nanoTime();
      long said = saidNanos.get();
      if (now - said > QUIET_NANOS && saidNanos.compareAndSet(said, now)) {
        LOG.warn(
            "not a member, refused at the raft port: subject={} cause={}",
            chain.length == 0 ? "none" : chain[0].getSubjectX500Principal(),
            refused.getMessage());
      }
      throw refused;
    }
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
      throws CertificateException {
    check(chain, () -> listed.checkClientTrusted(chain, kind, engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine)
      throws CertificateException {
    check(chain, () -> listed.checkServerTrusted(chain, kind, engine));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket)
      throws CertificateException {
    check(chain, () -> listed.checkClientTrusted(chain, kind, socket));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket)
      throws CertificateException {
    check(chain, () -> listed.checkServerTrusted(chain, kind, socket));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String kind) throws CertificateException {
    check(chain, () -> listed.checkClientTrusted(chain, kind));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String kind) throws CertificateException {
    check(chain, () -> listed.checkServerTrusted(chain, kind));
  }

  /** None: callers are not told who is believed. */
  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return NONE.clone();
  }
}
