package luciola.protocol.id;

/**
 * Number of a storage node; never reused.
 *
 * @param value the raw number, as it travels
 */
public record NodeId(long value) implements Comparable<NodeId> {
  public NodeId {
    if (value < 1) {
      throw new IllegalArgumentException("NodeId must be positive: value=" + value);
    }
  }

  @Override
  public int compareTo(NodeId other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
