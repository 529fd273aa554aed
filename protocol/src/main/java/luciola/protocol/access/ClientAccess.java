package luciola.protocol.access;

import java.util.Optional;

/**
 * What a caller needs to reach a cluster and to be let in.
 *
 * @param credential what it shows; empty: nothing, as on loopback
 * @param authorities path of a file with the certificates of the authorities that it believes of
 *     servers; empty: connections are not encrypted
 */
public record ClientAccess(Optional<Credential> credential, Optional<String> authorities) {
  /** Shows nothing. */
  public static final ClientAccess NONE = new ClientAccess(Optional.empty(), Optional.empty());

  /** The same showing this. */
  public ClientAccess withCredential(Credential shown) {
    return new ClientAccess(Optional.of(shown), authorities);
  }

  /** The same over encrypted connections. */
  public ClientAccess withAuthorities(String file) {
    return new ClientAccess(credential, Optional.of(file));
  }
}
