package luciola.storage.resync;

/**
 * Bounds of a {@link ResyncSource}.
 *
 * @param pageChunks chunks of an inventory page, 1 … 65536
 * @param pageRecords dedup records of a page, 1 or more
 * @param copiesMax copies in flight, 1 or more
 * @param retryNanos wait before something is tried again
 * @param triesMax tries of one request before the resync fails and begins anew
 */
public record ResyncLimits(
    int pageChunks, int pageRecords, int copiesMax, long retryNanos, int triesMax) {
  /** What a server uses unless told otherwise. */
  public static final ResyncLimits DEFAULT = new ResyncLimits(4096, 1024, 8, 50_000_000, 100);

  public ResyncLimits {
    if (pageChunks < 1
        || pageChunks > 65536
        || pageRecords < 1
        || copiesMax < 1
        || retryNanos < 1
        || triesMax < 1) {
      throw new IllegalArgumentException("bad resync limits");
    }
  }
}
