package luciola.loader.order;

import java.util.Locale;

/**
 * What happens to the samples left at the end of an epoch when they do not fill a batch on every
 * rank. Always said, never a silent default of the loader.
 */
public enum LastBatch {
  /**
   * They are delivered as a shorter batch, shared out evenly: of {@code r} samples rank {@code k}
   * of {@code w} gets those from {@code k*r/w} to {@code (k+1)*r/w}. A rank may get none: then its
   * batch has no rows, and every rank still makes the same number of steps.
   */
  SHORT,
  /** They are left out of this epoch. */
  DROP,
  /**
   * The batch is filled with samples from the start of the same epoch's order. Padding rows come
   * last and are counted apart, so that a trainer can mask them.
   */
  PAD;

  /** The lower-case name used in requests and options. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The policy of that label. */
  public static LastBatch ofLabel(String label) {
    for (LastBatch policy : values()) {
      if (policy.label().equals(label)) {
        return policy;
      }
    }
    throw new IllegalArgumentException(
        "last batch policy must be short, drop or pad: lastBatch=" + label);
  }
}
