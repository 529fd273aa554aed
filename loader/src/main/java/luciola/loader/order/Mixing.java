package luciola.loader.order;

/** The finaliser of SplitMix64 and a hash of a few words made from it. Arithmetic modulo 2^64. */
final class Mixing {
  static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Mixing() {}

  static long mix(long word) {
    long z = word;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** {@code h = 0; for each word: h = mix((h xor word) + GOLDEN)}. */
  static long hash(long... words) {
    long h = 0;
    for (long word : words) {
      h = mix((h ^ word) + GOLDEN);
    }
    return h;
  }
}
