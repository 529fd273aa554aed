package luciola.loader.dataset;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.protocol.connection.CopyCounter;

/** A record shard open for random access; its index is in memory and was checked when opened. */
public final class RecordShard implements AutoCloseable {
  private final ReadableFile file;
  private final MemorySegment index;
  private final RecordLayout.Footer footer;

  private RecordShard(ReadableFile file, MemorySegment index, RecordLayout.Footer footer) {
    this.file = file;
    this.index = index;
    this.footer = footer;
  }

  /** Opens and checks a shard: CORRUPT_DATA with the place, FORMAT_TOO_NEW, NOT_FOUND. */
  @SuppressWarnings("MustBeClosedChecker")
  public static RecordShard open(LuciolaFileSystem files, String path) {
    ReadableFile file = files.openRead(path);
    try {
      return open(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static RecordShard open(ReadableFile file) {
    String path = file.path();
    long bytes = file.length();
    if (bytes < RecordLayout.HEADER_BYTES + RecordLayout.FOOTER_BYTES) {
      throw RecordLayout.corrupt(path, bytes, "cut short: no room for header and footer");
    }
    Arena arena = Arena.ofAuto();
    RecordLayout.checkHeader(array(file, 0, RecordLayout.HEADER_BYTES, arena), path);
    long footerAt = bytes - RecordLayout.FOOTER_BYTES;
    byte[] tail = array(file, footerAt, RecordLayout.FOOTER_BYTES, arena);
    RecordLayout.Footer footer = RecordLayout.decodeFooter(tail, path, bytes);
    long indexBytes = footer.samples() * RecordLayout.ENTRY_BYTES;
    MemorySegment index = FileBytes.read(file, footer.indexOffset(), indexBytes, arena);
    if (FileBytes.crc32c(index) != footer.indexCrc32c()) {
      throw RecordLayout.corrupt(path, footer.indexOffset(), "checksum of the index is wrong");
    }
    RecordShard shard = new RecordShard(file, index, footer);
    shard.checkEntries();
    return shard;
  }

  private static byte[] array(ReadableFile file, long offset, long length, Arena arena) {
    return FileBytes.read(file, offset, length, arena).toArray(ValueLayout.JAVA_BYTE);
  }

  private void checkEntries() {
    long expected = RecordLayout.HEADER_BYTES;
    for (long i = 0; i < footer.samples(); i++) {
      SampleAddress address = address(i);
      if (address.offset() != expected || address.bytes() < 0) {
        throw RecordLayout.corrupt(
            file.path(),
            footer.indexOffset() + i * RecordLayout.ENTRY_BYTES,
            "index entry " + i + " is not where the sample before ends");
      }
      expected += address.bytes();
    }
    if (expected != footer.indexOffset()) {
      throw RecordLayout.corrupt(file.path(), expected, "the samples do not end at the index");
    }
  }

  public long samples() {
    return footer.samples();
  }

  /** CRC32C of the index, which holds every sample's length and CRC32C: a print of the content. */
  public int indexCrc32c() {
    return footer.indexCrc32c();
  }

  /** Where a sample lies and what its checksum is. */
  public SampleAddress address(long sample) {
    long at = java.util.Objects.checkIndex(sample, footer.samples()) * RecordLayout.ENTRY_BYTES;
    return SampleAddress.checked(
        file,
        index.get(MegatronIndex.I64, at),
        index.get(MegatronIndex.I32, at + 8),
        index.get(MegatronIndex.I32, at + 12));
  }

  /** Reads one sample and checks it. */
  public byte[] read(long sample) {
    SampleAddress address = address(sample);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bytes = FileBytes.read(file, address.offset(), address.bytes(), arena);
      address.verify(bytes, sample);
      CopyCounter.copied(bytes.byteSize());
      return bytes.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
