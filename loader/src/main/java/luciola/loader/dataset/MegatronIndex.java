package luciola.loader.dataset;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The {@code .idx} half of a Megatron indexed dataset, read in place and checked as a whole when
 * opened. Little-endian; the arrays are unaligned.
 *
 * <pre>
 *   0   9 B     "MMIDIDX\0\0"
 *   9   u64     version = 1
 *  17   u8      element type ({@link TokenType#code})
 *  18   u64     S, number of sequences
 *  26   u64     D, number of documents + 1
 *  34   i32[S]  elements of each sequence
 *       i64[S]  byte offset of each sequence in .bin
 *       i64[D]  sequence at which each document starts; first 0, last S
 *       i8[S]   modes, only in multimodal files; not flagged: told by the file's length
 * </pre>
 */
public final class MegatronIndex {
  static final byte[] MAGIC = "MMIDIDX\0\0".getBytes(StandardCharsets.ISO_8859_1);
  static final int HEADER_BYTES = 34;
  static final ValueLayout.OfInt I32 = JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  static final ValueLayout.OfLong I64 = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /** An index larger than this is refused: it is held in memory. */
  public static final long INDEX_BYTES_MAX = 4L << 30;

  private final MemorySegment bytes;
  private final TokenType type;
  private final long sequences;
  private final long documents;
  private final long tokens;

  private MegatronIndex(
      MemorySegment bytes, TokenType type, long sequences, long documents, long tokens) {
    this.bytes = bytes;
    this.type = type;
    this.sequences = sequences;
    this.documents = documents;
    this.tokens = tokens;
  }

  /**
   * Checks every field of an index.
   *
   * @param path for messages
   * @throws LuciolaException CORRUPT_DATA with the place in the file; FORMAT_TOO_NEW for another
   *     version
   */
  public static MegatronIndex parse(MemorySegment bytes, String path) {
    require(bytes.byteSize() >= HEADER_BYTES, path, 0, "shorter than its header of 34 bytes");
    for (int i = 0; i < MAGIC.length; i++) {
      require(bytes.get(JAVA_BYTE, i) == MAGIC[i], path, i, "not a Megatron index (magic)");
    }
    long version = bytes.get(I64, 9);
    if (version != 1) {
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "read dataset: unknown version of a Megatron index: path="
              + path
              + " version="
              + version);
    }
    int code = bytes.get(JAVA_BYTE, 17) & 0xFF;
    require(code >= 1 && code <= 8, path, 17, "unknown element type code " + code);
    TokenType type = TokenType.ofCode(code);
    long sequences = bytes.get(I64, 18);
    long entries = bytes.get(I64, 26);
    long most = bytes.byteSize() / 8;
    require(sequences >= 0 && sequences <= most, path, 18, "sequence count " + sequences);
    require(entries >= 1 && entries <= most, path, 26, "document count " + entries);
    long expected = HEADER_BYTES + 12 * sequences + 8 * entries;
    require(
        bytes.byteSize() == expected || bytes.byteSize() == expected + sequences,
        path,
        bytes.byteSize(),
        "file ends here but its counts need " + expected + " bytes");
    long tokens = checkSequences(bytes, path, type, sequences);
    checkDocuments(bytes, path, sequences, entries);
    return new MegatronIndex(bytes, type, sequences, entries - 1, tokens);
  }

  private static long checkSequences(
      MemorySegment bytes, String path, TokenType type, long sequences) {
    long tokens = 0;
    for (long i = 0; i < sequences; i++) {
      long lengthAt = HEADER_BYTES + 4 * i;
      long offsetAt = HEADER_BYTES + 4 * sequences + 8 * i;
      int length = bytes.get(I32, lengthAt);
      long offset = bytes.get(I64, offsetAt);
      require(length >= 0, path, lengthAt, "sequence " + i + " has length " + length);
      require(
          offset == tokens * type.bytes(),
          path,
          offsetAt,
          "sequence "
              + i
              + " starts at "
              + offset
              + " but the one before ends at "
              + tokens * type.bytes());
      tokens += length;
    }
    return tokens;
  }

  private static void checkDocuments(
      MemorySegment bytes, String path, long sequences, long entries) {
    long base = HEADER_BYTES + 12 * sequences;
    long before = 0;
    for (long i = 0; i < entries; i++) {
      long start = bytes.get(I64, base + 8 * i);
      boolean fits = i == 0 ? start == 0 : start >= before && start <= sequences;
      require(fits, path, base + 8 * i, "document " + i + " starts at sequence " + start);
      before = start;
    }
    require(before == sequences, path, base + 8 * (entries - 1), "last document ends at " + before);
  }

  private static void require(boolean holds, String path, long at, String problem) {
    if (!holds) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "read dataset: " + problem + ": path=" + path + " offset=" + at);
    }
  }

  public TokenType type() {
    return type;
  }

  public long sequences() {
    return sequences;
  }

  public long documents() {
    return documents;
  }

  /** Elements of all sequences; {@code .bin} has this many times {@link TokenType#bytes}. */
  public long tokens() {
    return tokens;
  }

  /** Length that {@code .bin} must have. */
  public long dataBytes() {
    return tokens * type.bytes();
  }

  /** Elements of a sequence. */
  public int sequenceTokens(long sequence) {
    return bytes.get(I32, HEADER_BYTES + 4 * checked(sequence, sequences));
  }

  /** Where a sequence starts in {@code .bin}, in bytes. */
  public long sequenceOffset(long sequence) {
    return bytes.get(I64, HEADER_BYTES + 4 * sequences + 8 * checked(sequence, sequences));
  }

  /** First sequence of a document; of {@link #documents}, the number of sequences. */
  public long documentStart(long document) {
    return bytes.get(I64, HEADER_BYTES + 12 * sequences + 8 * checked(document, documents + 1));
  }

  private static long checked(long index, long size) {
    return java.util.Objects.checkIndex(index, size);
  }

  /** CRC32C of the whole index. */
  int crc32c() {
    return FileBytes.crc32c(bytes);
  }
}
