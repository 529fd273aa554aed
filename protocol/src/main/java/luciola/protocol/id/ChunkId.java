package luciola.protocol.id;

import java.nio.ByteBuffer;

/**
 * Identity of one chunk: the file it belongs to and its index in that file.
 *
 * <p>As bytes (16): inode id (8, big-endian), chunk index (4, big-endian), zero (4). All chunks of
 * a file sort together, so that a removed file is one key range.
 *
 * @param inode the file
 * @param index position of the chunk in the file, 0 or more
 */
public record ChunkId(InodeId inode, int index) implements Comparable<ChunkId> {
  /** Length of the byte form. */
  public static final int BYTES = 16;

  public ChunkId {
    if (index < 0) {
      throw new IllegalArgumentException("chunk index must be non-negative: index=" + index);
    }
  }

  /** The byte form, whose unsigned lexicographic order is the order of ids. */
  public byte[] toBytes() {
    return ByteBuffer.allocate(BYTES).putLong(inode.value()).putInt(index).putInt(0).array();
  }

  /**
   * Reads the byte form.
   *
   * @throws IllegalArgumentException if it is not 16 bytes of a valid id
   */
  public static ChunkId fromBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("a chunk id has 16 bytes: length=" + bytes.length);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    ChunkId id = new ChunkId(new InodeId(buffer.getLong()), buffer.getInt());
    if (buffer.getInt() != 0) {
      throw new IllegalArgumentException("reserved bytes of a chunk id must be zero");
    }
    return id;
  }

  @Override
  public int compareTo(ChunkId other) {
    int byInode = inode.compareTo(other.inode);
    return byInode != 0 ? byInode : Integer.compare(index, other.index);
  }

  @Override
  public String toString() {
    return inode + "/" + index;
  }
}
