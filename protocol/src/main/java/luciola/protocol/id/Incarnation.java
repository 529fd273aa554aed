package luciola.protocol.id;

/**
 * Numbers of the lives of a server's process. The upper half counts them, so that a registration of
 * an earlier life that comes late is known as such; the lower half is random, so that copies of a
 * data directory are told apart.
 */
public final class Incarnation {
  private static final int RANDOM_BITS = Integer.SIZE;

  private Incarnation() {}

  /**
   * The life after another one.
   *
   * @param last 0 before the first
   * @throws IllegalArgumentException after 2^32 - 1 lives
   */
  public static long after(long last, int random) {
    long life = (last >>> RANDOM_BITS) + 1;
    if (life >>> RANDOM_BITS != 0) {
      throw new IllegalArgumentException("no life after: last=" + Long.toHexString(last));
    }
    return life << RANDOM_BITS | Integer.toUnsignedLong(random);
  }

  /** Whether one is of an earlier life than another. */
  public static boolean isBefore(long one, long other) {
    return one >>> RANDOM_BITS < other >>> RANDOM_BITS;
  }

  /** The one of the later life; the first of two of the same. */
  public static long later(long one, long other) {
    return isBefore(one, other) ? other : one;
  }
}
