package luciola.protocol.id;

/**
 * Epoch of one chain's membership; grows by one with every change.
 *
 * @param value the raw number, as it travels
 */
public record ChainVersion(int value) implements Comparable<ChainVersion> {
  public ChainVersion {
    if (value < 1) {
      throw new IllegalArgumentException("ChainVersion must be positive: value=" + value);
    }
  }

  /** The version after this one. */
  public ChainVersion next() {
    return new ChainVersion(value + 1);
  }

  @Override
  public int compareTo(ChainVersion other) {
    return Integer.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Integer.toString(value);
  }
}
