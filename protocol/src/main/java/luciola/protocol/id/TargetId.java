package luciola.protocol.id;

/**
 * Number of a target: one home of chunks on one disk; never reused.
 *
 * @param value the raw number, as it travels
 */
public record TargetId(long value) implements Comparable<TargetId> {
  public TargetId {
    if (value < 1) {
      throw new IllegalArgumentException("TargetId must be positive: value=" + value);
    }
  }

  @Override
  public int compareTo(TargetId other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
