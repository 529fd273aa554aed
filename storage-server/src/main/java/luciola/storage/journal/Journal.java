package luciola.storage.journal;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ObjLongConsumer;
import java.util.zip.CRC32C;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.index.KeyValues;
import org.jspecify.annotations.Nullable;

/**
 * The file of the journal: a page that says whose it is, then two halves, filled one after the
 * other with {@link JournalRecord}s. A half is filled again once everything in it, and before it,
 * is durable elsewhere.
 *
 * <p>Space is taken when the file is made, and zeros are written to each MiB before the first
 * record comes there: a flush of bytes that lie on blocks that were written before is a flush of
 * the disk and nothing else, where one of a file that grows waits for the file system's own log
 * too.
 *
 * <p>Used by one thread at a time.
 */
final class Journal implements AutoCloseable {
  private static final int PAGE = BlockClass.PAGE_BYTES;
  private static final int LAY_BYTES = 1 << 20;
  private static final long MAGIC = 0x4c4e524a4f43554cL; // "LUCOJRNL"
  private static final int FORMAT = 1;
  private static final int HEADER_BYTES = 32;

  private final BlockFile file;
  private final long salt;
  private final long capacity;
  private final MemorySegment zeros = JournalRecord.buffer(LAY_BYTES);
  private long laidTo;
  private long at = PAGE;
  private boolean second;

  private Journal(BlockFile file, Header header, long laidTo) {
    this.file = file;
    this.salt = header.salt();
    this.capacity = header.capacity();
    this.laidTo = laidTo;
  }

  private record Header(long salt, long capacity) {
    MemorySegment page() {
      MemorySegment page = JournalRecord.buffer(PAGE);
      ByteBuffer out = page.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      out.putLong(MAGIC).putInt(FORMAT).putLong(salt).putLong(capacity);
      out.putInt(crc(out));
      return page;
    }

    static Header of(ByteBuffer in) {
      int format = in.getInt(8);
      if (in.getLong(0) != MAGIC || in.getInt(HEADER_BYTES - 4) != crc(in)) {
        throw new LuciolaException(ErrorCode.CORRUPT_DATA, "journal: bad header");
      }
      if (format != FORMAT) {
        throw new LuciolaException(
            ErrorCode.FORMAT_TOO_NEW, "journal: format=" + format + " known=" + FORMAT);
      }
      return new Header(in.getLong(12), in.getLong(20));
    }

    private static int crc(ByteBuffer page) {
      var crc = new CRC32C();
      crc.update(page.duplicate().limit(HEADER_BYTES - 4).position(0));
      return (int) crc.getValue();
    }
  }

  /** What lies in a file, as long as its memory is there. */
  record Contents(@Nullable Header header, ByteBuffer bytes, List<JournalRecord> records) {
    /** Whether there is no journal yet. */
    boolean isNew() {
      return header == null;
    }

    long salt() {
      return header == null ? 0 : header.salt();
    }

    /** Number of the last batch that some whole record has; 0 if there is none. */
    long last() {
      return records.stream().mapToLong(JournalRecord::last).max().orElse(0);
    }

    /**
     * Gives the batches after one, in order, to the end: the first that is not there whole. Nobody
     * was told that it is durable, or else this is refused.
     *
     * @param after the last batch that is durable elsewhere
     * @return the last batch that is known now
     * @throws LuciolaException CORRUPT_DATA if a batch is missing that was durable
     */
    long replay(long after, ObjLongConsumer<List<KeyValues.Change>> batches) {
      long known = after;
      long flushedTo = 0;
      for (JournalRecord each : records) {
        flushedTo = Math.max(flushedTo, each.flushedTo());
        if (each.first() <= known + 1 && each.last() > known) {
          long number = each.first();
          for (List<KeyValues.Change> batch : each.read(bytes)) {
            if (number > known) {
              batches.accept(batch, number);
            }
            number++;
          }
          known = each.last();
        }
      }
      if (flushedTo > known) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "journal: what was durable is missing: batch="
                + (known + 1)
                + " durable="
                + flushedTo
                + " metadata="
                + after);
      }
      return known;
    }
  }

  /** Reads a file as it is. */
  static Contents read(BlockFile file, Arena arena) throws IOException {
    int size = Math.toIntExact(file.size() / PAGE * PAGE);
    if (size == 0) {
      return new Contents(null, ByteBuffer.allocate(0), List.of());
    }
    MemorySegment all = arena.allocate(size, PAGE);
    for (long from = 0; from < size; from += LAY_BYTES) {
      file.readDevice(from, all.asSlice(from, Math.min(LAY_BYTES, size - from)));
    }
    ByteBuffer bytes = all.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    if (end(bytes) == 0) {
      return new Contents(null, bytes, List.of());
    }
    Header header = Header.of(bytes);
    var records = new ArrayList<JournalRecord>();
    int from = PAGE;
    while (from < size) {
      JournalRecord record = JournalRecord.find(bytes, from, header.salt());
      if (record != null) {
        records.add(record);
      }
      from += record == null ? PAGE : JournalRecord.pageBytes(record.bytes());
    }
    records.sort(Comparator.comparingLong(JournalRecord::first));
    return new Contents(header, bytes, records);
  }

  /** After the last byte that is not zero. */
  private static int end(ByteBuffer bytes) {
    int at = bytes.limit();
    while (at > 0 && bytes.getLong(at - Long.BYTES) == 0) {
      at -= Long.BYTES;
    }
    return at;
  }

  /**
   * Goes on with a file whose batches are all durable elsewhere, or makes its contents.
   *
   * @param bytes of a new one
   */
  static Journal open(BlockFile file, Contents contents, long bytes) throws IOException {
    Header known = contents.header();
    if (known != null) {
      long end = Math.max(PAGE, end(contents.bytes()));
      return new Journal(file, known, (end + LAY_BYTES - 1) / LAY_BYTES * LAY_BYTES);
    }
    var header = new Header(new SecureRandom().nextLong(), bytes / PAGE * PAGE);
    file.preallocate(0, header.capacity());
    file.write(0, header.page());
    var made = new Journal(file, header, PAGE);
    made.lay(PAGE + 1);
    return made;
  }

  /** What tells this journal from others. */
  long salt() {
    return salt;
  }

  private long half() {
    return PAGE + (capacity - PAGE) / 2 / PAGE * PAGE;
  }

  /** The longest record that finds room in a half. */
  int recordBytesMax() {
    return Math.toIntExact(half() - PAGE);
  }

  /** Whether a record has room in the half that is filled now. */
  boolean hasRoomFor(long bytes) {
    return at + bytes <= (second ? capacity : half());
  }

  /** Goes on in the other half, whose batches must be durable elsewhere. */
  void turn() {
    second = !second;
    at = second ? half() : PAGE;
  }

  /** Writes a record's pages; durable after {@link #flush}. */
  void append(MemorySegment pages) throws IOException {
    lay(at + pages.byteSize());
    file.write(at, pages);
    at += pages.byteSize();
  }

  /** Writes zeros where nothing was written before. */
  private void lay(long to) throws IOException {
    while (laidTo < to) {
      long next = Math.min(laidTo / LAY_BYTES * LAY_BYTES + LAY_BYTES, capacity);
      file.write(laidTo, zeros.asSlice(0, next - laidTo));
      file.flush();
      laidTo = next;
    }
  }

  void flush() throws IOException {
    file.flush();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
