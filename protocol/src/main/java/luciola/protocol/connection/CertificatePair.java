package luciola.protocol.connection;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Whether a certificate and a private key belong together. TLS libraries take any two files and
 * fail at every handshake then, where nobody sees why.
 */
public final class CertificatePair {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");
  private static final byte[] SIGNED = {'L', 'u', 'c', 'i', 'o', 'l', 'a'};
  private static final Map<String, String> SIGNATURES =
      Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

  private CertificatePair() {}

  /**
   * Refuses files that do not belong together. What cannot be read or is of a kind not known here
   * is left to whoever uses it.
   *
   * @param certificate PEM, the server's or user's own first
   * @param key PEM, PKCS 8
   * @throws LuciolaException INVALID_ARGUMENT
   */
  public static void check(Path certificate, Path key) {
    try {
      PublicKey known = publicKey(certificate);
      Matcher pem = KEY.matcher(Files.readString(key));
      String algorithm = SIGNATURES.get(known.getAlgorithm());
      if (algorithm != null && pem.find() && !belongs(known, algorithm, pem.group(1))) {
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT,
            "tls: the private key is not that of the certificate: certificate="
                + certificate
                + " key="
                + key);
      }
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "tls: cannot use certificate=" + certificate + " key=" + key + " cause=" + e,
          e);
    }
  }

  private static PublicKey publicKey(Path certificate)
      throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(certificate)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in).getPublicKey();
    }
  }

  private static boolean belongs(PublicKey known, String algorithm, String encoded)
      throws GeneralSecurityException {
    var spec = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(encoded));
    PrivateKey own;
    try {
      own = KeyFactory.getInstance(known.getAlgorithm()).generatePrivate(spec);
    } catch (InvalidKeySpecException e) {
      return false;
    }
    Signature signing = Signature.getInstance(algorithm);
    signing.initSign(own);
    signing.update(SIGNED);
    byte[] signature = signing.sign();
    Signature verifying = Signature.getInstance(algorithm);
    verifying.initVerify(known);
    verifying.update(SIGNED);
    return verifying.verify(signature);
  }
}
