package luciola.protocol.layout;

import luciola.protocol.id.ChainTableId;

/**
 * How a file's chunks lie on the chains of one version of a chain table.
 *
 * @param table the chain table
 * @param tableVersion version of that table; a file keeps the one it was made with
 * @param chunkBytes bytes of a chunk: a power of two from 64 KiB to 64 MiB
 * @param stripe number of chains the file is striped over, 1 or more
 * @param start index in the table of the stripe's first chain
 * @param seed seed of the stripe's order
 */
public record FileLayout(
    ChainTableId table, int tableVersion, int chunkBytes, int stripe, int start, long seed) {
  public static final int CHUNK_BYTES_MIN = 1 << 16;
  public static final int CHUNK_BYTES_MAX = 1 << 26;
  public static final int CHUNK_BYTES_DEFAULT = 1 << 22;

  public FileLayout {
    if (chunkBytes < CHUNK_BYTES_MIN
        || chunkBytes > CHUNK_BYTES_MAX
        || Integer.bitCount(chunkBytes) != 1) {
      throw new IllegalArgumentException(
          "chunkBytes must be a power of two from 65536 to 67108864: chunkBytes=" + chunkBytes);
    }
    if (tableVersion < 1 || stripe < 1 || start < 0) {
      throw new IllegalArgumentException(
          "bad layout: tableVersion=" + tableVersion + " stripe=" + stripe + " start=" + start);
    }
  }

  /** Index of the chunk that holds byte {@code offset}. */
  public int chunkIndex(long offset) {
    return Math.toIntExact(offset / chunkBytes);
  }

  /** Position of byte {@code offset} in its chunk. */
  public int offsetInChunk(long offset) {
    return (int) (offset & (chunkBytes - 1));
  }
}
