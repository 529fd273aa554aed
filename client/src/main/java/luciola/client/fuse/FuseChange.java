package luciola.client.fuse;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What of a node's attributes changes; what is empty stays.
 *
 * @param mode permissions and special bits
 * @param handle of an open file through which it is done
 * @param killsPrivileges whether the file loses its set-user-ID and set-group-ID bits by it
 */
public record FuseChange(
    OptionalInt mode,
    OptionalInt uid,
    OptionalInt gid,
    OptionalLong size,
    Optional<Time> accessed,
    Optional<Time> modified,
    Optional<Time> changed,
    OptionalLong handle,
    boolean killsPrivileges) {
  /** A time to set: the file system's own at that moment, or one given. */
  public sealed interface Time {}

  /** Now, by the file system's clock. */
  public record Now() implements Time {}

  /** Seconds since 1970, and nanoseconds. */
  public record At(long seconds, int nanos) implements Time {}
}
