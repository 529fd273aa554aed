package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import luciola.storage.disk.NativeFile;

/**
 * What the disk under a directory does by itself, with the system calls that the chunk engine uses.
 *
 * @param writeBytesPerSecond sequential writes of 4 MiB past the page cache, flushed at the end
 * @param flushSeconds median time of a 4 KiB write with fdatasync
 */
public record DiskLimit(double writeBytesPerSecond, double flushSeconds) {
  private static final int BLOCK_BYTES = 4 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final int FLUSHES = 200;

  /** Measures with a file of {@code bytes} in {@code directory}, removed afterwards. */
  public static DiskLimit measure(Path directory, long bytes) throws IOException {
    Path path = Files.createTempFile(directory, "disk-limit", ".tmp");
    try (Arena arena = Arena.ofConfined();
        NativeFile file = NativeFile.open(path, true)) {
      MemorySegment block = arena.allocate(BLOCK_BYTES, PAGE_BYTES).fill((byte) 0x5a);
      return new DiskLimit(
          sequential(file, block, bytes), flush(file, block.asSlice(0, PAGE_BYTES)));
    } finally {
      Files.delete(path);
    }
  }

  private static double sequential(NativeFile file, MemorySegment block, long bytes)
      throws IOException {
    long start = System.nanoTime();
    long written = 0;
    while (written < bytes) {
      file.write(written, block);
      written += block.byteSize();
    }
    file.flush();
    return written / ((System.nanoTime() - start) / 1e9);
  }

  private static double flush(NativeFile file, MemorySegment page) throws IOException {
    double[] seconds = new double[FLUSHES];
    for (int i = 0; i < FLUSHES; i++) {
      long start = System.nanoTime();
      file.write((long) i * PAGE_BYTES, page);
      file.flush();
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    Arrays.sort(seconds);
    return seconds[FLUSHES / 2];
  }
}
