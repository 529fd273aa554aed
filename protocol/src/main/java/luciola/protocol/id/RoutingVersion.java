package luciola.protocol.id;

/**
 * Version of the whole routing information; 0 means none is known yet.
 *
 * @param value the raw number, as it travels
 */
public record RoutingVersion(long value) implements Comparable<RoutingVersion> {
  public RoutingVersion {
    if (value < 0) {
      throw new IllegalArgumentException("RoutingVersion must be non-negative: value=" + value);
    }
  }

  @Override
  public int compareTo(RoutingVersion other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
