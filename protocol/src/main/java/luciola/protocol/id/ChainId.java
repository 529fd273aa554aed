package luciola.protocol.id;

/**
 * Number of a replication chain; never reused.
 *
 * @param value the raw number, as it travels
 */
public record ChainId(int value) implements Comparable<ChainId> {
  public ChainId {
    if (value < 1) {
      throw new IllegalArgumentException("ChainId must be positive: value=" + value);
    }
  }

  @Override
  public int compareTo(ChainId other) {
    return Integer.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Integer.toString(value);
  }
}
