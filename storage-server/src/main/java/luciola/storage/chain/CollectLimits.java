package luciola.storage.chain;

/**
 * When tombstones are forgotten, and how fast.
 *
 * @param keepSeconds of the target's age before a tombstone may go, 0 or more; a server gives no
 *     less than its time to keep dedup records, which is longer than any retry
 * @param pauseNanos between two collections of one chain
 * @param idleNanos pause after all tombstones were looked at
 * @param chunksMax tombstones of one collection, 1 … 4096
 */
public record CollectLimits(long keepSeconds, long pauseNanos, long idleNanos, int chunksMax) {
  private static final long SECOND_NANOS = 1_000_000_000;
  private static final long IDLE_SECONDS_MAX = 60;
  private static final int CHUNKS_MAX = 4096;

  public CollectLimits {
    if (keepSeconds < 0
        || pauseNanos < 1
        || idleNanos < pauseNanos
        || chunksMax < 1
        || chunksMax > CHUNKS_MAX) {
      throw new IllegalArgumentException("bad limits of collection");
    }
  }

  /** What a server uses: 256 tombstones of a chain a second, and a look once a minute or so. */
  public static CollectLimits keeping(long seconds) {
    long idleSeconds = Math.clamp(seconds / 10, 1, IDLE_SECONDS_MAX);
    return new CollectLimits(seconds, SECOND_NANOS, idleSeconds * SECOND_NANOS, 256);
  }
}
