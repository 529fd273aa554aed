package luciola.client.mount;

import java.time.Duration;
import luciola.client.fuse.FuseOptions;

/**
 * How a file system is mounted.
 *
 * @param attributeTime how long the kernel takes attributes and names for right before it asks
 *     again: how late changes of other clients may be seen
 * @param readAheadBytes most that the kernel reads ahead of a program; 0 leaves its own default
 * @param fuse of the session
 * @param direct whether reads and writes of programs pass the kernel's page cache: a write returns
 *     once its bytes are on the replicas and the file's new end is known to all, and a read shows
 *     what is there at that moment
 */
public record MountOptions(
    Duration attributeTime, int readAheadBytes, FuseOptions fuse, boolean direct) {
  /** Changes elsewhere are seen within a second; 8 MiB are read ahead. */
  public static final MountOptions DEFAULTS =
      new MountOptions(Duration.ofSeconds(1), 8 << 20, FuseOptions.DEFAULTS, false);

  public MountOptions {
    if (attributeTime.isNegative() || attributeTime.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("attributeTime must be 0 to 1 h: " + attributeTime);
    }
    if (readAheadBytes < 0) {
      throw new IllegalArgumentException("readAheadBytes must not be negative: " + readAheadBytes);
    }
  }

  /** The same with another time. */
  public MountOptions withAttributeTime(Duration time) {
    return new MountOptions(time, readAheadBytes, fuse, direct);
  }

  /** The same past the kernel's page cache, or not. */
  public MountOptions withDirect(boolean past) {
    return new MountOptions(attributeTime, readAheadBytes, fuse, past);
  }
}
