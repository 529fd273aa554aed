package luciola.protocol.access;

import java.util.Optional;

/**
 * What a caller needs to be let in.
 *
 * @param credential what it shows; empty: nothing, as on loopback
 */
public record ClientAccess(Optional<Credential> credential) {
  /** Shows nothing. */
  public static final ClientAccess NONE = new ClientAccess(Optional.empty());

  /** The same showing this. */
  public ClientAccess withCredential(Credential shown) {
    return new ClientAccess(Optional.of(shown));
  }
}
