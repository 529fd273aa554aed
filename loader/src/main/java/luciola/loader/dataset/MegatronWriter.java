package luciola.loader.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Writes a Megatron indexed dataset: {@code .bin} as the documents come, {@code .idx} at the end.
 * One sequence per document. The index is kept in memory (12 bytes a document). For one thread.
 */
public final class MegatronWriter implements AutoCloseable {
  private static final int PIECE_ENTRIES = 1 << 16;

  private final LuciolaFileSystem files;
  private final String prefix;
  private final TokenType type;
  private final SequentialOutput data;
  private int[] lengths = new int[1024];
  private int documents;
  private long tokens;
  private boolean finished;

  /**
   * What was written.
   *
   * @param dataCrc32c of the whole {@code .bin}
   * @param indexCrc32c of the whole {@code .idx}
   */
  public record Written(
      long documents,
      long tokens,
      long dataBytes,
      int dataCrc32c,
      long indexBytes,
      int indexCrc32c) {}

  /**
   * Creates {@code prefix.bin}; EXISTS if it is there.
   *
   * @param prefix path without {@code .bin} or {@code .idx}
   */
  public MegatronWriter(LuciolaFileSystem files, String prefix, TokenType type) {
    this.files = files;
    this.prefix = prefix;
    this.type = type;
    this.data = new SequentialOutput(files, prefix + ".bin");
  }

  /** Adds a document of little-endian elements. */
  public void add(byte[] document) {
    if (document.length % type.bytes() != 0) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "write dataset: document is not a whole number of elements: path="
              + prefix
              + " document="
              + documents
              + " bytes="
              + document.length
              + " type="
              + type.label());
    }
    data.write(document);
    if (documents == lengths.length) {
      lengths = Arrays.copyOf(lengths, lengths.length * 2);
    }
    lengths[documents++] = document.length / type.bytes();
    tokens += document.length / type.bytes();
  }

  /** Makes the data durable, then writes the index. */
  public Written finish() {
    data.finish();
    finished = true;
    try (SequentialOutput index = new SequentialOutput(files, prefix + ".idx")) {
      ByteBuffer header =
          ByteBuffer.allocate(MegatronIndex.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      header.put(MegatronIndex.MAGIC).putLong(1).put((byte) type.code());
      header.putLong(documents).putLong(documents + 1L);
      index.write(header.array());
      long[] offset = {0};
      array(index, documents, 4, (into, i) -> into.putInt(lengths[i]));
      array(
          index,
          documents,
          8,
          (into, i) -> {
            into.putLong(offset[0]);
            offset[0] += (long) lengths[i] * type.bytes();
          });
      array(index, documents + 1, 8, ByteBuffer::putLong);
      index.finish();
      return new Written(
          documents, tokens, data.position(), data.crc32c(), index.position(), index.crc32c());
    }
  }

  @FunctionalInterface
  private interface Entry {
    void put(ByteBuffer into, int index);
  }

  private static void array(SequentialOutput out, int entries, int width, Entry entry) {
    for (int first = 0; first < entries; first += PIECE_ENTRIES) {
      int count = Math.min(PIECE_ENTRIES, entries - first);
      ByteBuffer piece = ByteBuffer.allocate(count * width).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = first; i < first + count; i++) {
        entry.put(piece, i);
      }
      out.write(piece.array());
    }
  }

  /** Closes the data file; without {@link #finish} there is no index, so no dataset. */
  @Override
  public void close() {
    if (!finished) {
      try {
        data.close();
      } catch (LuciolaException e) {
        // The caller is on its way out with the first fault; this one follows from it.
        org.slf4j.LoggerFactory.getLogger(MegatronWriter.class)
            .debug("close of an unfinished dataset failed path={}", prefix, e);
      }
    } else {
      data.close();
    }
  }
}
