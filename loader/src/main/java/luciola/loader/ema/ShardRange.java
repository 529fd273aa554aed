package luciola.loader.ema;

/**
 * A rank's contiguous share of the flat parameters. The shares of all ranks follow each other
 * without holes and differ by at most one element.
 *
 * @param begin first element
 * @param end element after the last
 */
public record ShardRange(long begin, long end) {
  public ShardRange {
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("no range: begin=%d end=%d".formatted(begin, end));
    }
  }

  /** The share of one rank of {@code ranks}. */
  public static ShardRange of(long elements, int rank, int ranks) {
    if (elements < 0 || rank < 0 || rank >= ranks) {
      throw new IllegalArgumentException(
          "no share: elements=%d rank=%d ranks=%d".formatted(elements, rank, ranks));
    }
    return new ShardRange(bound(elements, rank, ranks), bound(elements, rank + 1, ranks));
  }

  private static long bound(long elements, int rank, int ranks) {
    long share = elements / ranks;
    return share * rank + Math.min(rank, elements % ranks);
  }

  /** Number of elements. */
  public long elements() {
    return end - begin;
  }
}
