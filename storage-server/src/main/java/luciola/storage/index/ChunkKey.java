package luciola.storage.index;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;

/**
 * A chunk of one chain: a target may be a member of many. As bytes (20): chain (4, big-endian),
 * then the chunk id.
 */
public record ChunkKey(ChainId chain, ChunkId chunk) implements Comparable<ChunkKey> {
  private static final Comparator<ChunkKey> ORDER =
      Comparator.comparing(ChunkKey::chain).thenComparing(ChunkKey::chunk);

  /** Length of the byte form. */
  public static final int BYTES = 4 + ChunkId.BYTES;

  /** Before every chunk of a chain. */
  public static ChunkKey first(ChainId chain) {
    return new ChunkKey(chain, new ChunkId(new InodeId(1), 0));
  }

  /** The least key after this one in the chain; empty if there is none. */
  public Optional<ChunkKey> next() {
    if (chunk.index() < Integer.MAX_VALUE) {
      return Optional.of(new ChunkKey(chain, new ChunkId(chunk.inode(), chunk.index() + 1)));
    }
    return chunk.inode().value() == Long.MAX_VALUE
        ? Optional.empty()
        : Optional.of(new ChunkKey(chain, new ChunkId(new InodeId(chunk.inode().value() + 1), 0)));
  }

  /** The byte form, whose unsigned lexicographic order is the order of keys. */
  public byte[] toBytes() {
    return ByteBuffer.allocate(BYTES).putInt(chain.value()).put(chunk.toBytes()).array();
  }

  /**
   * Reads the byte form.
   *
   * @throws IllegalArgumentException if it is not 20 bytes of a valid key
   */
  public static ChunkKey fromBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("a chunk key has 20 bytes: length=" + bytes.length);
    }
    return new ChunkKey(
        new ChainId(ByteBuffer.wrap(bytes).getInt()),
        ChunkId.fromBytes(Arrays.copyOfRange(bytes, 4, BYTES)));
  }

  @Override
  public int compareTo(ChunkKey other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return chain + ":" + chunk;
  }
}
