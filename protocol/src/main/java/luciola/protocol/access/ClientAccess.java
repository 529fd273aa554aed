package luciola.protocol.access;

import java.util.Optional;

/**
 * What a caller needs to reach a cluster and to be let in.
 *
 * @param credential what it shows with each call; empty: nothing, as on loopback
 * @param authorities path of a file with the certificates of the authorities that it believes of
 *     servers; empty: connections are not encrypted
 * @param certificate what it shows when it connects to a meta-server; looked at where it shows no
 *     credential; needs encrypted connections
 */
public record ClientAccess(
    Optional<Credential> credential,
    Optional<String> authorities,
    Optional<Certificate> certificate) {
  /** Shows nothing. */
  public static final ClientAccess NONE =
      new ClientAccess(Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * A user's certificate.
   *
   * @param file with it and those above it, PEM
   * @param key file with its private key, PEM, PKCS 8
   */
  public record Certificate(String file, String key) {}

  public ClientAccess {
    if (certificate.isPresent() && authorities.isEmpty()) {
      throw new IllegalArgumentException(
          "a certificate is shown on encrypted connections only: authorities are needed");
    }
  }

  /** The same showing this. */
  public ClientAccess withCredential(Credential shown) {
    return new ClientAccess(Optional.of(shown), authorities, certificate);
  }

  /** The same over encrypted connections. */
  public ClientAccess withAuthorities(String file) {
    return new ClientAccess(credential, Optional.of(file), certificate);
  }

  /** The same showing this certificate; after {@link #withAuthorities}. */
  public ClientAccess withCertificate(String file, String key) {
    return new ClientAccess(credential, authorities, Optional.of(new Certificate(file, key)));
  }

  /** Whether it says who calls, in one way or the other. */
  public boolean saysWho() {
    return credential.isPresent() || certificate.isPresent();
  }
}
