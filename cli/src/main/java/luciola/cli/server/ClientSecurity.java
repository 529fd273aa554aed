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
 */
public record ClientSecurity(Path tokenFile, Path authorities) {
  /** Shows nothing. */
  public static final ClientSecurity NONE = new ClientSecurity(Path.of(""), Path.of(""));

  ClientAccess access() {
    ClientAccess reached =
        authorities.toString().isEmpty()
            ? ClientAccess.NONE
            : ClientAccess.NONE.withAuthorities(authorities.toString());
    return tokenFile.toString().isEmpty()
        ? reached
        : reached.withCredential(CredentialFile.read(tokenFile));
  }
}
