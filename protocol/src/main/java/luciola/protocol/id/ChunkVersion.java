package luciola.protocol.id;

/**
 * Version of one chunk: 0 means the chunk does not exist yet; every update adds one.
 *
 * @param value the raw number, as it travels
 */
public record ChunkVersion(long value) implements Comparable<ChunkVersion> {
  /** The chunk does not exist. */
  public static final ChunkVersion NONE = new ChunkVersion(0);

  public ChunkVersion {
    if (value < 0) {
      throw new IllegalArgumentException("ChunkVersion must be non-negative: value=" + value);
    }
  }

  /** The version after this one. */
  public ChunkVersion next() {
    return new ChunkVersion(value + 1);
  }

  @Override
  public int compareTo(ChunkVersion other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
