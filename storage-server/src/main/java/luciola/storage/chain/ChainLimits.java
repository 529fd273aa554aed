package luciola.storage.chain;

/**
 * Bounds of a {@link ChainReplica}.
 *
 * @param tickNanos how often the shell ticks
 * @param retryFirstNanos wait before an update is forwarded again; doubles with each try
 * @param retryMaxNanos longest such wait
 * @param askAfterNanos quiet time of a chunk after which its replica asks what was committed
 * @param readWaitNanos longest wait of a read for what is committed; then CHUNK_BUSY
 * @param pendingPerChunkMax uncommitted versions of one chunk that the head accepts, 1 or more
 * @param activeChunksMax chunks with uncommitted versions or waiting reads beyond which the head
 *     takes no update of another chunk
 * @param waitingReadsMax reads that wait for what is committed
 * @param asksMax chunks that the head is being asked about though no read waits
 */
public record ChainLimits(
    long tickNanos,
    long retryFirstNanos,
    long retryMaxNanos,
    long askAfterNanos,
    long readWaitNanos,
    int pendingPerChunkMax,
    int activeChunksMax,
    int waitingReadsMax,
    int asksMax) {
  private static final long MILLI = 1_000_000;

  /** What a server uses unless told otherwise. */
  public static final ChainLimits DEFAULT =
      new ChainLimits(
          20 * MILLI, 50 * MILLI, 1000 * MILLI, 30 * MILLI, 2000 * MILLI, 16, 4096, 16_384, 1024);

  public ChainLimits {
    if (tickNanos < 1
        || retryFirstNanos < 1
        || retryMaxNanos < retryFirstNanos
        || askAfterNanos < 1
        || readWaitNanos < 1
        || pendingPerChunkMax < 1
        || activeChunksMax < 1
        || waitingReadsMax < 1
        || asksMax < 1) {
      throw new IllegalArgumentException("bad chain limits");
    }
  }
}
