package luciola.storage.journal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import luciola.storage.index.KeyValues;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the journal at once: some batches, one after the other, on whole pages.
 * Numbers are little-endian.
 *
 * <pre>
 * magic      u32
 * crc        u32  CRC32C of everything after it, to the end of the batches
 * salt       u64  of the journal's file
 * first      u64  number of the first batch
 * flushedTo  u64  batches up to this one were durable before this was written
 * batches    u32
 * bytes      u32  of the batches; each: u32 changes; each: u16 bytes of the key, i32 bytes of the
 *                 value or -1 to forget the key, key, value
 * zeros      to the end of the page
 * </pre>
 *
 * <p>The salt keeps bytes that a user wrote, and that lie in a batch, from being taken for a
 * record.
 *
 * @param at where the first batch begins in the file
 */
record JournalRecord(long first, long flushedTo, int batches, int at, int bytes) {
  private static final int MAGIC = 0x314a434c; // "LCJ1"
  private static final int HEADER_BYTES = 40;
  private static final int CRC_FROM = 8;

  /** Number of the last batch. */
  long last() {
    return first + batches - 1;
  }

  /** Bytes of a batch in a record. */
  static int bytes(List<KeyValues.Change> batch) {
    int bytes = Integer.BYTES;
    for (KeyValues.Change each : batch) {
      byte @Nullable [] value = each.value();
      bytes += 6 + each.key().length + (value == null ? 0 : value.length);
    }
    return bytes;
  }

  /** Bytes of a record's pages. */
  static int pageBytes(int batchBytes) {
    return BlockClass.pageCeiling(HEADER_BYTES + batchBytes);
  }

  /** Pages for records of a length. */
  static MemorySegment buffer(int bytes) {
    return Arena.ofAuto().allocate(bytes, BlockClass.PAGE_BYTES);
  }

  /**
   * Writes a record to the beginning of a buffer; gives its pages.
   *
   * @param batchBytes of all batches
   */
  static MemorySegment encode(
      MemorySegment buffer,
      long salt,
      long first,
      long flushedTo,
      List<List<KeyValues.Change>> batches,
      int batchBytes) {
    int pageBytes = pageBytes(batchBytes);
    ByteBuffer out = buffer.asSlice(0, pageBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).putInt(0).putLong(salt).putLong(first).putLong(flushedTo);
    out.putInt(batches.size()).putInt(batchBytes);
    for (List<KeyValues.Change> batch : batches) {
      out.putInt(batch.size());
      for (KeyValues.Change each : batch) {
        byte @Nullable [] value = each.value();
        out.putShort((short) each.key().length).putInt(value == null ? -1 : value.length);
        out.put(each.key());
        if (value != null) {
          out.put(value);
        }
      }
    }
    int end = out.position();
    out.putInt(Integer.BYTES, crc(out, CRC_FROM, end));
    MemorySegment pages = buffer.asSlice(0, pageBytes);
    pages.asSlice(end).fill((byte) 0);
    return pages;
  }

  private static int crc(ByteBuffer bytes, int from, int to) {
    var crc = new CRC32C();
    crc.update(bytes.duplicate().limit(to).position(from));
    return (int) crc.getValue();
  }

  /**
   * The record that begins at a place; null if there is none, or not all of it.
   *
   * @param file little-endian
   */
  static @Nullable JournalRecord find(ByteBuffer file, int at, long salt) {
    if (file.limit() - at < HEADER_BYTES || file.getInt(at) != MAGIC) {
      return null;
    }
    int bytes = file.getInt(at + 36);
    boolean fits = bytes >= 0 && bytes <= file.limit() - at - HEADER_BYTES;
    if (!fits
        || file.getLong(at + 8) != salt
        || file.getInt(at + 4) != crc(file, at + CRC_FROM, at + HEADER_BYTES + bytes)) {
      return null;
    }
    return new JournalRecord(
        file.getLong(at + 16),
        file.getLong(at + 24),
        file.getInt(at + 32),
        at + HEADER_BYTES,
        bytes);
  }

  /** Its batches. */
  List<List<KeyValues.Change>> read(ByteBuffer file) {
    ByteBuffer in = file.slice(at, bytes).order(ByteOrder.LITTLE_ENDIAN);
    var found = new ArrayList<List<KeyValues.Change>>(batches);
    try {
      for (int i = 0; i < batches; i++) {
        int count = in.getInt();
        var batch = new ArrayList<KeyValues.Change>();
        for (int j = 0; j < count; j++) {
          var key = new byte[Short.toUnsignedInt(in.getShort())];
          int length = in.getInt();
          byte @Nullable [] value = length < 0 ? null : new byte[Math.min(length, in.remaining())];
          in.get(key);
          if (value != null) {
            in.get(value);
          }
          batch.add(new KeyValues.Change(key, value));
        }
        found.add(batch);
      }
    } catch (java.nio.BufferUnderflowException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "journal: bad record: first=" + first + " at=" + at, e);
    }
    return found;
  }
}
