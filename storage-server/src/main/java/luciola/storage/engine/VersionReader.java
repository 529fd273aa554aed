package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.VersionRecord;

/**
 * Reads ranges of versions. Short ranges are read into memory and verified here. Long ones go out
 * as they lie in the file, with their stored checksums, and are verified by whoever receives them;
 * but a granule of which only a part is asked is verified here, and the part summed anew.
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
      BlockRef block = version.block();
      if (block == null || offset >= end) {
        pin.close();
        return empty(version);
      }
      return end - offset >= fileRangeBytes
          ? fileRange(version, block, pin, offset, end)
          : memory(version, block, pin, offset, end);
    } catch (IOException | RuntimeException e) {
      pin.close();
      throw e;
    }
  }

  static ChunkRead empty(VersionRecord version) {
    return new ChunkRead.InMemory(
        version.version(), version.chunkBytes(), NONE, MemorySegment.NULL, () -> {});
  }

  private ChunkRead memory(
      VersionRecord version, BlockRef block, BlockStore.Pin pin, int offset, int end)
      throws IOException {
    int from = offset / Granules.BYTES * Granules.BYTES;
    int to = granuleEnd(version, end);
    PayloadBuffer buffer = acquire(to - from);
    try {
      MemorySegment bytes = buffer.segment();
      blocks.file(block).read(block.position() + from, bytes);
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

  private static void verify(VersionRecord version, MemorySegment bytes, int from, int to) {
    int bad = Granules.firstMismatch(from, bytes, storedSums(version, from, to));
    if (bad >= 0) {
      throw new BadBlockException(version, from / Granules.BYTES + bad);
    }
  }

  private ChunkRead fileRange(
      VersionRecord version, BlockRef block, BlockStore.Pin pin, int offset, int end)
      throws IOException {
    BlockFile file = blocks.file(block);
    file.warm(block.position() + offset, end - offset);
    int[] sums = storedSums(version, offset, end);
    int firstFrom = offset / Granules.BYTES * Granules.BYTES;
    int firstEnd = Math.min(end, firstFrom + Granules.BYTES);
    if (offset > firstFrom || firstEnd < granuleEnd(version, firstEnd)) {
      sums[0] = partSum(version, block, firstFrom, offset, firstEnd);
    }
    int lastFrom = (end - 1) / Granules.BYTES * Granules.BYTES;
    if (sums.length > 1 && end < granuleEnd(version, end)) {
      sums[sums.length - 1] = partSum(version, block, lastFrom, lastFrom, end);
    }
    return new ChunkRead.InFile(
        version.version(),
        version.chunkBytes(),
        sums,
        file.channel(),
        block.position() + offset,
        end - offset,
        pin::close);
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

  private int partSum(VersionRecord version, BlockRef block, int granuleFrom, int from, int to)
      throws IOException {
    PayloadBuffer buffer = acquire(granuleEnd(version, granuleFrom + 1) - granuleFrom);
    try {
      blocks.file(block).read(block.position() + granuleFrom, buffer.segment());
      return partSum(version, buffer.segment(), granuleFrom, from, to);
    } finally {
      buffer.release();
    }
  }

  /**
   * Verifies a granule and sums the part {@code [from, to)} of it.
   *
   * @param bytes begin with the granule
   */
  private static int partSum(
      VersionRecord version, MemorySegment bytes, int granuleFrom, int from, int to) {
    int granuleBytes = granuleEnd(version, granuleFrom + 1) - granuleFrom;
    int granule = granuleFrom / Granules.BYTES;
    if (Granules.crc(bytes.asSlice(0, granuleBytes)) != version.granules()[granule]) {
      throw new BadBlockException(version, granule);
    }
    return Granules.crc(bytes.asSlice(from - granuleFrom, to - from));
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
    BlockRef block = version.block();
    if (block != null) {
      blocks.file(block).read(block.position(), into);
      int bad = Granules.firstMismatch(0, into, version.granules());
      if (bad >= 0) {
        throw new BadBlockException(version, bad);
      }
    }
  }

  /**
   * Reads a whole version from the device itself and compares every granule.
   *
   * @return the first bad granule, or -1
   */
  int firstBadGranule(VersionRecord version) throws IOException {
    BlockRef block = version.block();
    if (block == null) {
      return -1;
    }
    PayloadBuffer buffer = acquire(VersionWriter.PIECE_BYTES);
    try {
      for (int at = 0; at < version.chunkBytes(); at += VersionWriter.PIECE_BYTES) {
        int end = Math.min(at + VersionWriter.PIECE_BYTES, version.chunkBytes());
        MemorySegment bytes = buffer.segment().asSlice(0, BlockClass.pageCeiling(end - at));
        blocks.file(block).readDevice(block.position() + at, bytes);
        int bad =
            Granules.firstMismatch(at, bytes.asSlice(0, end - at), storedSums(version, at, end));
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
