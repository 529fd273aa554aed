package luciola.protocol.id;

/**
 * Number of a chain table: the list of chains that files are striped over.
 *
 * @param value the raw number, as it travels
 */
public record ChainTableId(int value) implements Comparable<ChainTableId> {
  public ChainTableId {
    if (value < 1) {
      throw new IllegalArgumentException("ChainTableId must be positive: value=" + value);
    }
  }

  @Override
  public int compareTo(ChainTableId other) {
    return Integer.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Integer.toString(value);
  }
}
