package luciola.storage.resync;

/**
 * How far a resync is.
 *
 * @param chunksSeen chunks of the source that were compared
 * @param chunksTotal chunks the source held at the beginning
 * @param copied chunks that were sent and acknowledged
 * @param removed chunks that the replica was made to forget
 * @param disagreed copied ones that were the same version with other bytes, or newer than the
 *     source
 */
public record ResyncProgress(
    long chunksSeen, long chunksTotal, long copied, long removed, long disagreed) {
  /** 0 … 1. */
  public double share() {
    return chunksTotal <= 0 ? 1 : Math.min(1, (double) chunksSeen / chunksTotal);
  }
}
