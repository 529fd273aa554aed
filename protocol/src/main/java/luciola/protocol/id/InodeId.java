package luciola.protocol.id;

/**
 * Number of an inode; never reused. The root directory is 1.
 *
 * @param value the raw number, as it travels
 */
public record InodeId(long value) implements Comparable<InodeId> {
  public InodeId {
    if (value < 1) {
      throw new IllegalArgumentException("InodeId must be positive: value=" + value);
    }
  }

  @Override
  public int compareTo(InodeId other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
