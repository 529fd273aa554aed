package luciola.loader.ring;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * What an agent makes of the two counters that an owner writes. With p, t the submissions put and
 * taken and c, d the completions put and taken this holds of every owner that keeps to the rules,
 * modulo 2³² and with n entries:
 *
 * <pre>
 *   d ≤ c ≤ t ≤ p ≤ d + n
 * </pre>
 *
 * c ≤ t because each submission is completed once, p ≤ d + n because an owner has no more than n
 * operations that it has not seen completed. So no completion ever finds its ring full. One thread.
 */
final class RingIndices {
  private final int entries;
  private int taken;

  RingIndices(int entries, int first) {
    this.entries = entries;
    this.taken = first;
  }

  /** Submissions taken so far. */
  int taken() {
    return taken;
  }

  /**
   * How many submissions there are to take.
   *
   * @param put read before {@code seen}
   * @param seen completions taken
   * @throws LuciolaException MALFORMED_FRAME if no honest owner could have written that
   */
  int ready(int put, int seen) {
    int ready = put - taken;
    if (Integer.compareUnsigned(ready, entries) > 0
        || Integer.compareUnsigned(taken - seen, entries) > 0
        || Integer.compareUnsigned(put - seen, entries) > 0) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "ring: the owner's counters cannot be: submissionsPut="
              + Integer.toUnsignedString(put)
              + " submissionsTaken="
              + Integer.toUnsignedString(taken)
              + " completionsTaken="
              + Integer.toUnsignedString(seen)
              + " entries="
              + entries);
    }
    return ready;
  }

  void took(int count) {
    taken += count;
  }
}
