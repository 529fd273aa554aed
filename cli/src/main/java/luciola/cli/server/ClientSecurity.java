package luciola.cli.server;

import java.nio.file.Path;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.CredentialFile;

/**
 * What a program that uses a cluster shows to it.
 *
 * @param authorities file with the certificates of the authorities that it believes of servers,
 *     PEM; empty (the default): connections are not encrypted
 * @param tokenFile file with its token; empty (the default): it shows none
 * @param certificate file with its user's certificate, PEM, in place of a token; empty (the
 *     default): it shows none. Needs {@code authorities} and {@code key}
 * @param key file with the certificate's private key, PEM, PKCS 8
 */
public record ClientSecurity(Path tokenFile, Path authorities, Path certificate, Path key) {
  /** Shows nothing. */
  public static final ClientSecurity NONE =
      new ClientSecurity(Path.of(""), Path.of(""), Path.of(""), Path.of(""));

  public ClientSecurity {
    boolean shows = !certificate.toString().isEmpty();
    if (shows == key.toString().isEmpty() || (shows && authorities.toString().isEmpty())) {
      throw new IllegalArgumentException(
          "security.certificate, security.key and security.authorities go together");
    }
  }

  ClientAccess access() {
    ClientAccess reached =
        authorities.toString().isEmpty()
            ? ClientAccess.NONE
            : ClientAccess.NONE.withAuthorities(authorities.toString());
    if (!certificate.toString().isEmpty()) {
      reached = reached.withCertificate(certificate.toString(), key.toString());
    }
    return tokenFile.toString().isEmpty()
        ? reached
        : reached.withCredential(CredentialFile.read(tokenFile));
  }
}
