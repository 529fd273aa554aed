package luciola.protocol.frame;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * Checksums of chunk data. A chunk is divided into granules of 16 KiB; a range of it is cut at the
 * chunk's granule boundaries into pieces, and each piece has its own CRC32C (polynomial 0x1EDC6F41,
 * as in RFC 3720). A range that starts at a boundary and is a whole number of granules long
 * therefore has the checksums that are stored with the chunk.
 */
public final class Granules {
  /** Bytes of a granule. */
  public static final int BYTES = 1 << 14;

  private static final int[] NONE = {};

  private Granules() {}

  /** Number of pieces of the range {@code [offset, offset + length)} of a chunk. */
  public static int count(int offset, int length) {
    return length == 0 ? 0 : (offset + length - 1) / BYTES - offset / BYTES + 1;
  }

  /** Length of piece {@code piece} of the range. */
  public static int pieceBytes(int offset, int length, int piece) {
    return pieceEnd(offset, length, piece) - pieceStart(offset, piece);
  }

  /** Position in the range of the first byte of piece {@code piece}. */
  public static int pieceOffset(int offset, int piece) {
    return pieceStart(offset, piece) - offset;
  }

  private static int pieceStart(int offset, int piece) {
    return piece == 0 ? offset : (offset / BYTES + piece) * BYTES;
  }

  private static int pieceEnd(int offset, int length, int piece) {
    return (int) Math.min((long) offset + length, (offset / BYTES + piece + 1L) * BYTES);
  }

  /** Checksums of the pieces of {@code data}, which lies at {@code offset} of its chunk. */
  public static int[] checksums(int offset, MemorySegment data) {
    int length = Math.toIntExact(data.byteSize());
    int pieces = count(offset, length);
    if (pieces == 0) {
      return NONE;
    }
    int[] sums = new int[pieces];
    for (int piece = 0; piece < pieces; piece++) {
      sums[piece] =
          crc(data.asSlice(pieceOffset(offset, piece), pieceBytes(offset, length, piece)));
    }
    return sums;
  }

  /** Index of the first piece whose checksum is not the expected one, or -1. */
  public static int firstMismatch(int offset, MemorySegment data, int[] expected) {
    int length = Math.toIntExact(data.byteSize());
    if (expected.length != count(offset, length)) {
      return 0;
    }
    for (int piece = 0; piece < expected.length; piece++) {
      MemorySegment bytes =
          data.asSlice(pieceOffset(offset, piece), pieceBytes(offset, length, piece));
      if (crc(bytes) != expected[piece]) {
        return piece;
      }
    }
    return -1;
  }

  /** CRC32C of some bytes. */
  public static int crc(MemorySegment bytes) {
    var crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return (int) crc.getValue();
  }
}
