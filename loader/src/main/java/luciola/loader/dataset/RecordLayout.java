package luciola.loader.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Luciola's record shard: samples of any size, written in one pass, read at random. Little-endian.
 *
 * <pre>
 *   header, 64 bytes             0  8 B   "LUCIREC\0"
 *                                8  u32   version = 1
 *                               12  u32   header bytes = 64
 *                               16  44 B  zero
 *                               60  u32   CRC32C of bytes 0 … 59
 *   samples                     back to back from offset 64
 *   index, 16 bytes a sample     0  u64   offset in the file
 *                                8  u32   length
 *                               12  u32   CRC32C of the sample
 *   footer, last 64 bytes        0  8 B   "LUCIEND\0"
 *                                8  u64   number of samples
 *                               16  u64   offset of the index
 *                               24  u32   CRC32C of the index
 *                               28  32 B  zero
 *                               60  u32   CRC32C of bytes 0 … 59
 * </pre>
 *
 * The index starts where the last sample ends and ends where the footer starts, so a file cut
 * anywhere is seen when it is opened.
 */
final class RecordLayout {
  static final int VERSION = 1;
  static final int HEADER_BYTES = 64;
  static final int FOOTER_BYTES = 64;
  static final int ENTRY_BYTES = 16;
  private static final byte[] MAGIC = "LUCIREC\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final byte[] END_MAGIC = "LUCIEND\0".getBytes(StandardCharsets.ISO_8859_1);

  private RecordLayout() {}

  record Footer(long samples, long indexOffset, int indexCrc32c) {}

  static byte[] encodeHeader() {
    byte[] header = new byte[HEADER_BYTES];
    block(header).put(MAGIC).putInt(VERSION).putInt(HEADER_BYTES);
    return sealed(header);
  }

  static void checkHeader(byte[] header, String path) {
    requireMagic(header, MAGIC, path, 0);
    requireCrc(header, path, 0);
    int version = block(header).getInt(8);
    if (version != VERSION) {
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "read record shard: path=" + path + " version=" + version + " newestKnown=" + VERSION);
    }
  }

  static byte[] encodeFooter(Footer footer) {
    byte[] block = new byte[FOOTER_BYTES];
    block(block)
        .put(END_MAGIC)
        .putLong(footer.samples())
        .putLong(footer.indexOffset())
        .putInt(footer.indexCrc32c());
    return sealed(block);
  }

  static Footer decodeFooter(byte[] footer, String path, long fileBytes) {
    long at = fileBytes - FOOTER_BYTES;
    requireMagic(footer, END_MAGIC, path, at);
    requireCrc(footer, path, at);
    ByteBuffer block = block(footer);
    Footer decoded = new Footer(block.getLong(8), block.getLong(16), block.getInt(24));
    boolean fits =
        decoded.samples() >= 0
            && decoded.samples() <= fileBytes / ENTRY_BYTES
            && decoded.indexOffset() >= HEADER_BYTES
            && decoded.indexOffset() + decoded.samples() * ENTRY_BYTES == at;
    if (!fits) {
      throw corrupt(path, at, "the footer's counts do not fit the file: " + decoded);
    }
    return decoded;
  }

  static LuciolaException corrupt(String path, long at, String problem) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA,
        "read record shard: " + problem + ": path=" + path + " offset=" + at);
  }

  private static ByteBuffer block(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] sealed(byte[] block) {
    block(block).putInt(60, crc(block));
    return block;
  }

  private static int crc(byte[] block) {
    CRC32C crc = new CRC32C();
    crc.update(block, 0, 60);
    return (int) crc.getValue();
  }

  private static void requireMagic(byte[] block, byte[] magic, String path, long at) {
    if (!Arrays.equals(block, 0, magic.length, magic, 0, magic.length)) {
      throw corrupt(path, at, "not a record shard or cut short (magic)");
    }
  }

  private static void requireCrc(byte[] block, String path, long at) {
    int stored = block(block).getInt(60);
    if (stored != crc(block)) {
      throw corrupt(path, at, "checksum of the block is wrong");
    }
  }
}
