package luciola.loader.order;

/**
 * One rank's share of one step.
 *
 * @param samples sample numbers in row order, padding last; may be empty under {@link
 *     LastBatch#SHORT}
 * @param valid how many of them are not padding
 * @param before where the run stood
 * @param after where it stands when every rank has had its share of this step
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never kept by the order
public record RankBatch(long[] samples, int valid, LoaderPosition before, LoaderPosition after) {
  public RankBatch {
    if (valid < 0 || valid > samples.length) {
      throw new IllegalArgumentException(
          "valid out of range: valid=" + valid + " rows=" + samples.length);
    }
  }

  /** Whether the next step belongs to another epoch. */
  public boolean endsEpoch() {
    return after.epoch() != before.epoch();
  }
}
