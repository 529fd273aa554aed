package luciola.cli.server;

import java.nio.file.Path;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.CredentialFile;

/**
 * What a program that uses a cluster shows to it.
 *
 * @param tokenFile file with its token; empty (the default): it shows none
 */
public record ClientSecurity(Path tokenFile) {
  /** Shows nothing. */
  public static final ClientSecurity NONE = new ClientSecurity(Path.of(""));

  ClientAccess access() {
    return tokenFile.toString().isEmpty()
        ? ClientAccess.NONE
        : ClientAccess.NONE.withCredential(CredentialFile.read(tokenFile));
  }
}
