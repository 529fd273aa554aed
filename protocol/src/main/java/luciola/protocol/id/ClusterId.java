package luciola.protocol.id;

/**
 * Random number of a cluster; every data directory and connection carries it.
 *
 * @param value the raw number, as it travels
 */
public record ClusterId(long value) implements Comparable<ClusterId> {
  public ClusterId {
    if (value == 0) {
      throw new IllegalArgumentException("ClusterId must be non-zero: value=" + value);
    }
  }

  @Override
  public int compareTo(ClusterId other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
