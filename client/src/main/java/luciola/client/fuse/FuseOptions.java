package luciola.client.fuse;

/**
 * How a session runs.
 *
 * @param threads that read requests
 * @param writeBytesMax longest write, and read; a multiple of 4096, at most 1 MiB
 * @param backgroundMax requests that the kernel makes ahead of programs
 * @param writeBack whether the kernel gathers small writes, and then owns sizes and times of open
 *     files: only where nobody else writes them
 * @param others whether programs of other users may use the mount; permissions are checked by the
 *     kernel, by the attributes given
 */
public record FuseOptions(
    int threads, int writeBytesMax, int backgroundMax, boolean writeBack, boolean others) {
  /** For most. */
  public static final FuseOptions DEFAULTS = new FuseOptions(4, 1 << 20, 64, false, true);

  public FuseOptions {
    if (threads < 1
        || threads > 256
        || writeBytesMax < 4096
        || writeBytesMax > 1 << 20
        || writeBytesMax % 4096 != 0
        || backgroundMax < 1
        || backgroundMax > 32_767) {
      throw new IllegalArgumentException(
          "bad mount options: threads="
              + threads
              + " writeBytesMax="
              + writeBytesMax
              + " backgroundMax="
              + backgroundMax);
    }
  }
}
