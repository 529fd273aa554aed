package luciola.storage.resync;

/**
 * How far a resync is. A chunk is done when it was found equal, or was sent and acknowledged.
 *
 * @param chunksDone chunks of the source that are done, tombstones included
 * @param chunksTotal what the source held at the beginning; it may grow meanwhile
 * @param bytesDone bytes of those that are done
 * @param bytesTotal of what the source held at the beginning
 * @param copied chunks that were sent and acknowledged
 * @param bytesCopied their bytes
 * @param removed chunks that the replica was made to forget
 * @param disagreed copied ones that were the same version with other bytes, or newer than the
 *     source
 */
public record ResyncProgress(
    long chunksDone,
    long chunksTotal,
    long bytesDone,
    long bytesTotal,
    long copied,
    long bytesCopied,
    long removed,
    long disagreed) {
  /** 0 … 1, by bytes where there are any. */
  public double share() {
    return bytesTotal > 0 ? part(bytesDone, bytesTotal) : part(chunksDone, chunksTotal);
  }

  private static double part(long done, long total) {
    return total <= 0 ? 1 : Math.min(1, (double) done / total);
  }
}
