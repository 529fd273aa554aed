package luciola.protocol.id;

/**
 * Random number of one client instance, drawn at its start.
 *
 * @param value the raw number, as it travels
 */
public record ClientId(long value) implements Comparable<ClientId> {
  public ClientId {
    if (value == 0) {
      throw new IllegalArgumentException("ClientId must be non-zero: value=" + value);
    }
  }

  @Override
  public int compareTo(ClientId other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
