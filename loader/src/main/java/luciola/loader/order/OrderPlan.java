package luciola.loader.order;

/**
 * What an order is an order of. Two runs with equal plans see the same samples in the same order.
 *
 * @param datasetFingerprint of the dataset's content and of how it is cut into samples
 * @param samples number of samples, 1 … 2^62
 * @param seed chooses the permutations
 */
public record OrderPlan(long datasetFingerprint, long samples, long seed) {
  /** Version of the order's definition; part of every fingerprint. */
  public static final int VERSION = 1;

  public OrderPlan {
    if (samples < 1 || samples > KeyedPermutation.SIZE_MAX) {
      throw new IllegalArgumentException("samples must be 1 … 2^62: samples=" + samples);
    }
  }

  /**
   * {@code hash(VERSION, datasetFingerprint, samples)}: what a {@link LoaderPosition} must match.
   * The seed stands in the position itself.
   */
  public long fingerprint() {
    return Mixing.hash(VERSION, datasetFingerprint, samples);
  }

  /** {@code hash(VERSION, datasetFingerprint, samples, seed, epoch)}: key of an epoch's order. */
  long epochKey(long epoch) {
    return Mixing.hash(VERSION, datasetFingerprint, samples, seed, epoch);
  }

  /** Where a run of this plan starts. */
  public LoaderPosition start() {
    return new LoaderPosition(fingerprint(), seed, 0, 0);
  }
}
