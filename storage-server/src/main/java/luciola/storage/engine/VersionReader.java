package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.VersionRecord;

/**
 * Reads ranges of versions. Short ranges are read into memory and verified here. Long ones go out
 * as they lie in the files, with their stored checksums, and are verified by whoever receives them;
 * but a granule of which only a part is asked is verified here, and the part summed anew. Bytes
 * that a patch covers are not read.
 */
final class VersionReader {
  private static final int[] NONE = {};

  private final BlockStore blocks;
  private final PayloadPool scratch;
  private final int fileRangeBytes;

  VersionReader(BlockStore blocks, PayloadPool scratch, int fileRangeBytes) {
    this.blocks = blocks;
    this.scratch = scratch;
    this.fileRangeBytes = fileRangeBytes;
  }

  /**
   * Reads.
   *
   * @param pin held by the result, or closed here on failure
   * @throws BadBlockException if a granule that must be verified is bad
   */
  ChunkRead read(VersionRecord version, BlockStore.Pin pin, int offset, int length)
      throws IOException {
    try {
      int end = (int) Math.min((long) offset + length, version.chunkBytes());
      if (offset >= end) {
        pin.close();
        return empty(version);
      }
      return end - offset >= fileRangeBytes
          ? fileRange(version, pin, offset, end)
          : memory(version, pin, offset, end);
    } catch (IOException | RuntimeException e) {
      pin.close();
      throw e;
    }
  }

  static ChunkRead empty(VersionRecord version) {
    return new ChunkRead.InMemory(
        version.version(), version.chunkBytes(), NONE, MemorySegment.NULL, () -> {});
  }

  private ChunkRead memory(VersionRecord version, BlockStore.Pin pin, int offset, int end)
      throws IOException {
    int from = offset / Granules.BYTES * Granules.BYTES;
    int to = granuleEnd(version, end);
    PayloadBuffer buffer = acquire(to - from);
    try {
      MemorySegment bytes = buffer.segment();
      fill(version, from, bytes);
      pin.close();
      verify(version, bytes, from, to);
      int[] sums = storedSums(version, offset, end);
      int firstEnd = Math.min(end, from + Granules.BYTES);
      if (offset > from || firstEnd < granuleEnd(version, firstEnd)) {
        sums[0] = Granules.crc(bytes.asSlice(offset - from, firstEnd - offset));
      }
      int lastFrom = (end - 1) / Granules.BYTES * Granules.BYTES;
      if (sums.length > 1 && end < granuleEnd(version, end)) {
        sums[sums.length - 1] = Granules.crc(bytes.asSlice(lastFrom - from, end - lastFrom));
      }
      return new ChunkRead.InMemory(
          version.version(),
          version.chunkBytes(),
          sums,
          bytes.asSlice(offset - from, end - offset),
          once(buffer::release));
    } catch (IOException | RuntimeException e) {
      buffer.release();
      throw e;
    }
  }

  /** Reads from a byte of the version on, through the page cache; not verified. */
  private void fill(VersionRecord version, int from, MemorySegment into) throws IOException {
    for (VersionRecord.Extent each :
        version.extents(from, from + Math.toIntExact(into.byteSize()))) {
      blocks
          .file(each.blockClass())
          .read(each.position(), into.asSlice(each.from() - from, each.bytes()));
    }
  }

  private static void verify(VersionRecord version, MemorySegment bytes, int from, int to) {
    int bad = Granules.firstMismatch(from, bytes, storedSums(version, from, to));
    if (bad >= 0) {
      throw new BadBlockException(version, from / Granules.BYTES + bad);
    }
  }

  private ChunkRead fileRange(VersionRecord version, BlockStore.Pin pin, int offset, int end)
      throws IOException {
    var ranges = new ArrayList<ChunkRead.FileRange>();
    for (VersionRecord.Extent each : version.extents(offset, end)) {
      BlockFile file = blocks.file(each.blockClass());
      file.warm(each.position(), each.bytes());
      ranges.add(new ChunkRead.FileRange(file.channel(), each.position(), each.bytes()));
    }
    int[] sums = storedSums(version, offset, end);
    int firstFrom = offset / Granules.BYTES * Granules.BYTES;
    int firstEnd = Math.min(end, firstFrom + Granules.BYTES);
    if (offset > firstFrom || firstEnd < granuleEnd(version, firstEnd)) {
      sums[0] = partSum(version, firstFrom, offset, firstEnd);
    }
    int lastFrom = (end - 1) / Granules.BYTES * Granules.BYTES;
    if (sums.length > 1 && end < granuleEnd(version, end)) {
      sums[sums.length - 1] = partSum(version, lastFrom, lastFrom, end);
    }
    return new ChunkRead.InFiles(
        version.version(), version.chunkBytes(), sums, ranges, end - offset, pin::close);
  }

  private static int[] storedSums(VersionRecord version, int offset, int end) {
    int first = offset / Granules.BYTES;
    return Arrays.copyOfRange(
        version.granules(), first, first + Granules.count(offset, end - offset));
  }

  /** End of the granule that {@code end} lies in or ends. */
  private static int granuleEnd(VersionRecord version, int end) {
    int ceiling = (end + Granules.BYTES - 1) / Granules.BYTES * Granules.BYTES;
    return Math.min(ceiling, version.chunkBytes());
  }

  /** Verifies a granule and sums the part {@code [from, to)} of it. */
  private int partSum(VersionRecord version, int granuleFrom, int from, int to) throws IOException {
    int granule = granuleFrom / Granules.BYTES;
    PayloadBuffer buffer = acquire(version.granuleBytes(granule));
    try {
      if (!isGood(version, granule, buffer.segment())) {
        throw new BadBlockException(version, granule);
      }
      return Granules.crc(buffer.segment().asSlice(from - granuleFrom, to - from));
    } finally {
      buffer.release();
    }
  }

  /**
   * Reads a granule.
   *
   * @param into as long as the granule
   * @return whether it is what was written
   */
  boolean isGood(VersionRecord version, int granule, MemorySegment into) throws IOException {
    fill(version, granule * Granules.BYTES, into);
    return Granules.crc(into) == version.granules()[granule];
  }

  private PayloadBuffer acquire(int bytes) {
    return scratch
        .tryAcquire(bytes)
        .orElseThrow(() ->
            new LuciolaException(
                ErrorCode.OVERLOADED, "no scratch memory for a read: bytes=" + bytes));
  }

  private static Runnable once(Runnable action) {
    var done = new AtomicBoolean();
    return () -> {
      if (!done.getAndSet(true)) {
        action.run();
      }
    };
  }

  /** Fills {@code into} with the whole version, verified. */
  void readWhole(VersionRecord version, MemorySegment into) throws IOException {
    fill(version, 0, into);
    int bad = Granules.firstMismatch(0, into, version.granules());
    if (bad >= 0) {
      throw new BadBlockException(version, bad);
    }
  }

  /**
   * Reads a whole version from the device itself and compares every granule.
   *
   * @return the first bad granule, or -1
   */
  int firstBadGranule(VersionRecord version) throws IOException {
    if (version.chunkBytes() == 0) {
      return -1;
    }
    PayloadBuffer buffer = acquire(VersionWriter.PIECE_BYTES);
    try {
      for (int at = 0; at < version.chunkBytes(); at += VersionWriter.PIECE_BYTES) {
        int end = Math.min(at + VersionWriter.PIECE_BYTES, version.chunkBytes());
        for (VersionRecord.Extent each : version.extents(at, end)) {
          blocks
              .file(each.blockClass())
              .readDevice(
                  each.position(),
                  buffer.segment().asSlice(each.from() - at, BlockClass.pageCeiling(each.bytes())));
        }
        int bad =
            Granules.firstMismatch(
                at, buffer.segment().asSlice(0, end - at), storedSums(version, at, end));
        if (bad >= 0) {
          return at / Granules.BYTES + bad;
        }
      }
      return -1;
    } finally {
      buffer.release();
    }
  }
}
