package luciola.loader.order;

/**
 * A permutation of {@code 0 … n-1} chosen by a 64-bit key, computed point by point: a Feistel
 * network over the smallest power of two that holds {@code n}, walked along its cycle until the
 * value is below {@code n} (fewer than two steps on average). No memory, no start-up, whatever
 * {@code n} is.
 *
 * <p>Definition, bit by bit (arithmetic modulo 2^64; {@code mix} is the finaliser of SplitMix64,
 * {@code G = 0x9E3779B97F4A7C15}):
 *
 * <pre>
 *   bits   = max(2, 64 - leadingZeros(n - 1))          number of bits of the domain
 *   low    = bits / 2 (rounded down), high = bits - low
 *   K[i]   = mix(key + (i + 1) * G)                     i = 0 … 7
 *
 *   once(x):  L = x >>> low (high bits), R = x mod 2^low
 *     for i = 0 … 7:
 *       i even:  L = L xor (mix(R * G + K[i]) mod 2^high)
 *       i odd:   R = R xor (mix(L * G + K[i]) mod 2^low)
 *     result = L * 2^low + R
 *
 *   at(x):    do x = once(x) while x &gt;= n; result = x       for n = 1: 0
 * </pre>
 *
 * Each round changes one half by a function of the other, so {@code once} is a bijection of the
 * domain for any two widths; following its cycles from below {@code n} to the next value below
 * {@code n} is a bijection of {@code 0 … n-1}. Eight rounds mix even domains of a few bits. Test
 * vectors are in docs/formats.md, they hold for every release with the same {@link
 * OrderPlan#VERSION}.
 */
public final class KeyedPermutation {
  private static final int ROUNDS = 8;

  /** Sizes above this are refused: positions and ids stay positive longs with room to add. */
  public static final long SIZE_MAX = 1L << 62;

  private final long size;
  private final int lowBits;
  private final long highMask;
  private final long lowMask;
  private final long[] keys = new long[ROUNDS];

  /**
   * @param size 1 … {@link #SIZE_MAX}
   */
  public KeyedPermutation(long size, long key) {
    if (size < 1 || size > SIZE_MAX) {
      throw new IllegalArgumentException("size must be 1 … 2^62: size=" + size);
    }
    this.size = size;
    int bits = Math.max(2, Long.SIZE - Long.numberOfLeadingZeros(size - 1));
    this.lowBits = bits / 2;
    this.lowMask = (1L << lowBits) - 1;
    this.highMask = (1L << (bits - lowBits)) - 1;
    for (int i = 0; i < ROUNDS; i++) {
      keys[i] = Mixing.mix(key + (i + 1) * Mixing.GOLDEN);
    }
  }

  /** Number of values. */
  public long size() {
    return size;
  }

  /**
   * The value at a place.
   *
   * @param place 0 … size-1
   */
  public long at(long place) {
    if (place < 0 || place >= size) {
      throw new IllegalArgumentException("place out of range: place=" + place + " size=" + size);
    }
    if (size == 1) {
      return 0;
    }
    long x = place;
    do {
      x = once(x);
    } while (x >= size);
    return x;
  }

  private long once(long x) {
    long left = x >>> lowBits;
    long right = x & lowMask;
    for (int i = 0; i < ROUNDS; i += 2) {
      left ^= Mixing.mix(right * Mixing.GOLDEN + keys[i]) & highMask;
      right ^= Mixing.mix(left * Mixing.GOLDEN + keys[i + 1]) & lowMask;
    }
    return (left << lowBits) | right;
  }
}
