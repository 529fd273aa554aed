package luciola.protocol.layout;

/**
 * The layout function. For a table of {@code n} chains the stripe is the {@code stripe} table
 * indices {@code (start + i) mod n}, then shuffled: for {@code i = stripe-1 … 1}, {@code j = u(i)
 * mod (i+1)} as an unsigned division, entries {@code i} and {@code j} change places. {@code u(i)}
 * is the output of SplitMix64 for state {@code seed + (stripe - i) * 0x9E3779B97F4A7C15}:
 *
 * <pre>
 *   z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9
 *   z = (z ^ (z >>> 27)) * 0x94D049BB133111EB
 *   u = z ^ (z >>> 31)
 * </pre>
 *
 * Chunk {@code c} lies on entry {@code c mod stripe}. All arithmetic is modulo 2^64. The test
 * vectors in docs/protocol.md hold for every release.
 */
public final class StripeOrder {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private StripeOrder() {}

  /**
   * Table indices of the stripe's chains in order.
   *
   * @param tableSize number of chains in the table, at least {@code stripe}
   */
  public static int[] indices(int tableSize, int stripe, int start, long seed) {
    if (stripe < 1 || stripe > tableSize || start < 0) {
      throw new IllegalArgumentException(
          "bad stripe: tableSize=" + tableSize + " stripe=" + stripe + " start=" + start);
    }
    int[] order = new int[stripe];
    for (int i = 0; i < stripe; i++) {
      order[i] = (int) (((long) start + i) % tableSize);
    }
    long state = seed;
    for (int i = stripe - 1; i > 0; i--) {
      state += GOLDEN;
      int j = (int) Long.remainderUnsigned(mix(state), i + 1L);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  private static long mix(long state) {
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
