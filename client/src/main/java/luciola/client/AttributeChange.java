package luciola.client;

import java.util.Optional;

/** What to change of a file's attributes; empty stays as it is. Times in nanoseconds since 1970. */
public record AttributeChange(
    Optional<Integer> mode,
    Optional<Integer> uid,
    Optional<Integer> gid,
    Optional<Long> accessedNanos,
    Optional<Long> modifiedNanos) {

  /** Changes only the permission bits. */
  public static AttributeChange ofMode(int mode) {
    return new AttributeChange(
        Optional.of(mode), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** Changes only the time of last modification. */
  public static AttributeChange ofModified(long nanos) {
    return new AttributeChange(
        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(nanos));
  }
}
