package luciola.loader.order;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The exact sequence of samples of every rank, as a function of (dataset fingerprint, seed, epoch,
 * world, rank, position). Holds no state of a run and is safe for many threads.
 *
 * <p>The epoch's order is one sequence for the whole run: place {@code p} holds sample {@code
 * KeyedPermutation(samples, epochKey).at(p)}, {@code epochKey = hash(version, dataset fingerprint,
 * samples, seed, epoch)}. A step takes the next {@code batch * world} places; rank {@code k} gets
 * the {@code k}-th run of {@code batch} of them. So the sequence does not depend on the number of
 * ranks: a run that goes on with another number of them takes the remaining places, each once. The
 * end of an epoch is {@link LastBatch}'s matter.
 *
 * <table>
 * <caption>Invariants</caption>
 * <tr><th>holds</th><th>why</th></tr>
 * <tr><td>the valid rows of an epoch's steps, of all ranks, are every sample once (under DROP: at
 * most once)</td><td>steps partition the places, the permutation is a bijection</td></tr>
 * <tr><td>every rank makes the same number of steps</td><td>the step is a function of the position
 * and of world, not of the rank</td></tr>
 * <tr><td>resume is exact</td><td>nothing but the position decides what comes next</td></tr>
 * </table>
 */
public final class SampleOrder {
  private final OrderPlan plan;
  private final Share share;

  /**
   * How the run is shared.
   *
   * @param rank 0 … world-1
   * @param world number of ranks that get different samples
   * @param batch samples per rank and step
   */
  public record Share(int rank, int world, int batch, LastBatch lastBatch) {
    /** More samples per rank and step than this are refused. */
    public static final int BATCH_MAX = 1 << 20;

    public Share {
      if (world < 1 || rank < 0 || rank >= world) {
        throw new IllegalArgumentException(
            "rank must be 0 … world-1: rank=" + rank + " world=" + world);
      }
      if (batch < 1 || batch > BATCH_MAX) {
        throw new IllegalArgumentException("batch must be 1 … " + BATCH_MAX + ": batch=" + batch);
      }
    }

    /** Samples of one step of all ranks. */
    public long globalBatch() {
      return (long) batch * world;
    }
  }

  public SampleOrder(OrderPlan plan, Share share) {
    if (share.lastBatch() == LastBatch.DROP && share.globalBatch() > plan.samples()) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "order samples: every epoch would be empty, one step takes more samples than there are"
              + " and the last short batch is dropped: samples="
              + plan.samples()
              + " batch="
              + share.batch()
              + " world="
              + share.world());
    }
    this.plan = plan;
    this.share = share;
  }

  public OrderPlan plan() {
    return plan;
  }

  public Share share() {
    return share;
  }

  /** Steps of an epoch that is started at its beginning and not reshared on the way. */
  public long stepsPerEpoch() {
    long full = plan.samples() / share.globalBatch();
    boolean rest = plan.samples() % share.globalBatch() != 0;
    return rest && share.lastBatch() != LastBatch.DROP ? full + 1 : full;
  }

  /**
   * Accepts a position of this plan, or refuses it.
   *
   * @return the position, moved to the next epoch's start where nothing of its epoch is left
   * @throws LuciolaException WRONG_POSITION with the reason
   */
  public LoaderPosition resume(LoaderPosition position) {
    if (position.planFingerprint() != plan.fingerprint()) {
      throw wrong(
          position,
          "it belongs to another dataset, another content of it or another sample length",
          "plan=%016x position.plan=%016x dataset=%016x samples=%d"
              .formatted(
                  plan.fingerprint(),
                  position.planFingerprint(),
                  plan.datasetFingerprint(),
                  plan.samples()));
    }
    if (position.seed() != plan.seed()) {
      throw wrong(
          position,
          "it belongs to a run with another seed",
          "seed=" + plan.seed() + " position.seed=" + position.seed());
    }
    if (position.samplesDone() > plan.samples()) {
      throw wrong(
          position,
          "it lies past the end of the epoch",
          "samples=" + plan.samples() + " position.done=" + position.samplesDone());
    }
    return settled(position.epoch(), position.samplesDone());
  }

  private static LuciolaException wrong(LoaderPosition position, String why, String values) {
    return new LuciolaException(
        ErrorCode.WRONG_POSITION,
        "resume: the position cannot be used: "
            + why
            + ": "
            + values
            + " text=\""
            + position.text()
            + "\"");
  }

  /** What this rank gets at a position, which must be of this plan (see {@link #resume}). */
  public RankBatch batchAt(LoaderPosition position) {
    LoaderPosition from = resume(position);
    long left = plan.samples() - from.samplesDone();
    long taken = Math.min(left, share.globalBatch());
    LoaderPosition after = settled(from.epoch(), from.samplesDone() + taken);
    boolean fills = left >= share.globalBatch();
    if (fills || share.lastBatch() == LastBatch.PAD) {
      long first = from.samplesDone() + (long) share.rank() * share.batch();
      long valid = Math.clamp(plan.samples() - first, 0, share.batch());
      return new RankBatch(places(from.epoch(), first, share.batch()), (int) valid, from, after);
    }
    // SHORT; DROP never gets here because settled() has moved on to the next epoch.
    long begin = from.samplesDone() + part(left, share.rank());
    long end = from.samplesDone() + part(left, share.rank() + 1);
    int rows = (int) (end - begin);
    return new RankBatch(places(from.epoch(), begin, rows), rows, from, after);
  }

  private long part(long left, int ranks) {
    // left * ranks may not fit a long; whole and rest apart do.
    long whole = left / share.world();
    long rest = left % share.world();
    return whole * ranks + rest * ranks / share.world();
  }

  private long[] places(long epoch, long first, int rows) {
    KeyedPermutation order = new KeyedPermutation(plan.samples(), plan.epochKey(epoch));
    long[] samples = new long[rows];
    for (int row = 0; row < rows; row++) {
      samples[row] = order.at((first + row) % plan.samples());
    }
    return samples;
  }

  private LoaderPosition settled(long epoch, long done) {
    long left = plan.samples() - done;
    boolean nothingMore =
        left == 0 || (share.lastBatch() == LastBatch.DROP && left < share.globalBatch());
    return nothingMore
        ? new LoaderPosition(plan.fingerprint(), plan.seed(), epoch + 1, 0)
        : new LoaderPosition(plan.fingerprint(), plan.seed(), epoch, done);
  }
}
