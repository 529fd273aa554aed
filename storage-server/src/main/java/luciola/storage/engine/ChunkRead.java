package luciola.storage.engine;

import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.List;
import luciola.protocol.id.ChunkVersion;

/**
 * What a read found. The bytes stay as they are until it is closed, from any thread; closing twice
 * is harmless.
 */
@SuppressWarnings("ArrayRecordComponent")
public sealed interface ChunkRead extends AutoCloseable {
  ChunkVersion version();

  /** Length of the chunk in that version. */
  int chunkBytes();

  /** Bytes read: fewer than asked where the chunk ends. */
  int dataBytes();

  /** Of the pieces of the bytes, see {@link luciola.protocol.frame.Granules}. */
  int[] checksums();

  @Override
  void close();

  /** The bytes are in memory. */
  record InMemory(
      ChunkVersion version, int chunkBytes, int[] checksums, MemorySegment data, Runnable release)
      implements ChunkRead {
    @Override
    public int dataBytes() {
      return Math.toIntExact(data.byteSize());
    }

    @Override
    public void close() {
      release.run();
    }
  }

  /** Bytes of a file, probably in the page cache. */
  record FileRange(FileChannel file, long position, int bytes) {}

  /**
   * The bytes are in files.
   *
   * @param ranges one after the other
   */
  record InFiles(
      ChunkVersion version,
      int chunkBytes,
      int[] checksums,
      List<FileRange> ranges,
      int dataBytes,
      Runnable release)
      implements ChunkRead {
    public InFiles {
      ranges = List.copyOf(ranges);
    }

    @Override
    public void close() {
      release.run();
    }
  }
}
