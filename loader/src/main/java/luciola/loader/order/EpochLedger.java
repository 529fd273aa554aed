package luciola.loader.order;

import java.util.ArrayList;
import java.util.List;

/**
 * Proof of an epoch: takes the sample numbers that ranks were given and tells whether together they
 * are the whole set, each once. One bit per sample. For one thread.
 */
public final class EpochLedger {
  /** Samples named in a verdict; the counts are always whole. */
  public static final int NAMED_MAX = 16;

  /** Largest set one ledger can hold (an array of 2^31-8 words of 64 samples). */
  public static final long SAMPLES_MAX = (Integer.MAX_VALUE - 8L) * Long.SIZE;

  private final long samples;
  private final long[] seen;
  private long delivered;
  private long repeatedCount;
  private long strangeCount;
  private final List<Long> repeated = new ArrayList<>();
  private final List<Long> strange = new ArrayList<>();

  /** What the ledger says of an epoch. */
  public sealed interface Verdict {
    /** Every sample was given exactly once. */
    record ExactlyOnce(long samples) implements Verdict {}

    /**
     * It was not so.
     *
     * @param missing samples that nobody got; the first few are in {@code missingNamed}
     * @param repeated deliveries beyond the first of a sample
     * @param strange deliveries of numbers that no sample has
     */
    record Broken(
        long samples,
        long missing,
        long repeated,
        long strange,
        List<Long> missingNamed,
        List<Long> repeatedNamed,
        List<Long> strangeNamed)
        implements Verdict {}
  }

  public EpochLedger(long samples) {
    if (samples < 1 || samples > SAMPLES_MAX) {
      throw new IllegalArgumentException(
          "samples must be 1 … " + SAMPLES_MAX + ": samples=" + samples);
    }
    this.samples = samples;
    this.seen = new long[(int) ((samples + Long.SIZE - 1) / Long.SIZE)];
  }

  /** Notes the first {@code valid} of a batch's sample numbers. */
  public void deliver(long[] batch, int valid) {
    for (int row = 0; row < valid; row++) {
      deliver(batch[row]);
    }
  }

  /** Notes one delivered sample. */
  public void deliver(long sample) {
    delivered++;
    if (sample < 0 || sample >= samples) {
      strangeCount++;
      name(strange, sample);
      return;
    }
    int word = (int) (sample / Long.SIZE);
    long bit = 1L << (sample % Long.SIZE);
    if ((seen[word] & bit) != 0) {
      repeatedCount++;
      name(repeated, sample);
    }
    seen[word] |= bit;
  }

  /** Deliveries noted so far. */
  public long delivered() {
    return delivered;
  }

  public Verdict verdict() {
    long missing = samples - (delivered - repeatedCount - strangeCount);
    if (missing == 0 && repeatedCount == 0 && strangeCount == 0) {
      return new Verdict.ExactlyOnce(samples);
    }
    List<Long> missingNamed = new ArrayList<>();
    for (long sample = 0; sample < samples && missingNamed.size() < NAMED_MAX; sample++) {
      if ((seen[(int) (sample / Long.SIZE)] & (1L << (sample % Long.SIZE))) == 0) {
        missingNamed.add(sample);
      }
    }
    return new Verdict.Broken(
        samples,
        missing,
        repeatedCount,
        strangeCount,
        List.copyOf(missingNamed),
        List.copyOf(repeated),
        List.copyOf(strange));
  }

  private static void name(List<Long> names, long sample) {
    if (names.size() < NAMED_MAX) {
      names.add(sample);
    }
  }
}
