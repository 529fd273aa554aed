package luciola.loader.ema;

/**
 * How much of the average is kept at each update.
 *
 * @param decay from 0 (the average is the last parameters) to below 1
 * @param warmup keep less at first, {@code (1 + n) / (10 + n)} after n updates where that is
 *     smaller, so that the first parameters are soon forgotten
 */
public record EmaDecay(double decay, boolean warmup) {
  public EmaDecay {
    if (!(decay >= 0 && decay < 1)) {
      throw new IllegalArgumentException("decay must be from 0 to below 1: decay=" + decay);
    }
  }

  /**
   * The decay of one update.
   *
   * @param updates how many came before it
   */
  public double at(long updates) {
    double n = (double) updates;
    return warmup ? Math.min(decay, (1 + n) / (10 + n)) : decay;
  }
}
