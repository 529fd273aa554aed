package luciola.storage.disk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Measures a directory's disk past the page cache and through it, by size: writes with a flush
 * after each, and reads of bytes that are not in the cache, and that are. Prints one line for each
 * size, figures in MB/s and, in brackets, microseconds of CPU for each operation.
 */
final class DiskBench {
  private static final long FILE_BYTES = 256L << 20;
  private static final long NANOS_MAX = 700_000_000L;

  private DiskBench() {}

  /** Measures; the argument is a directory. */
  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[0]).resolve("disk-bench");
    Files.deleteIfExists(path);
    Files.createFile(path);
    try (NativeFile direct = NativeFile.open(path, true);
        NativeFile cached = NativeFile.open(path, false);
        Arena arena = Arena.ofConfined()) {
      System.out.println("size writeDirect writeCached readDirect readCold readWarm");
      for (int size = 4096; size <= 16 << 20; size *= size < 65_536 ? 2 : 4) {
        MemorySegment buffer = arena.allocate(size, 4096);
        buffer.fill((byte) 7);
        String line = "%8d".formatted(size);
        fill(direct, arena);
        line += measure(size, at -> write(direct, at, buffer));
        line += measure(size, at -> write(cached, at, buffer));
        fill(direct, arena);
        line += measure(size, at -> direct.read(at, buffer));
        line += measure(size, at -> cached.read(at, buffer));
        line += measure(size, at -> cached.read(at, buffer));
        System.out.println(line);
      }
    } finally {
      Files.delete(path);
    }
  }

  /** An operation at a position of the file. */
  private interface Operation {
    void run(long position) throws IOException;
  }

  private static void write(NativeFile file, long at, MemorySegment data) throws IOException {
    file.write(at, data);
    file.flush();
  }

  /** Written directly: nothing of it stays in the page cache. */
  private static void fill(NativeFile file, Arena arena) throws IOException {
    MemorySegment buffer = arena.allocate(4 << 20, 4096);
    for (long at = 0; at < FILE_BYTES; at += buffer.byteSize()) {
      file.write(at, buffer);
    }
    file.flush();
  }

  /** Goes over the file in steps that defeat the read-ahead. */
  private static String measure(int size, Operation operation) throws IOException {
    long places = FILE_BYTES / size;
    long stride = places / 3 | 1;
    var threads = ManagementFactory.getThreadMXBean();
    long cpu = threads.getCurrentThreadCpuTime();
    long start = System.nanoTime();
    long count = 0;
    while (count < Math.min(places, 20_000) && System.nanoTime() - start < NANOS_MAX) {
      operation.run(count * stride % places * size);
      count++;
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double cpuMicros = (threads.getCurrentThreadCpuTime() - cpu) / 1e3 / count;
    return " %8.1f(%.0f)".formatted(count * (double) size / seconds / 1e6, cpuMicros);
  }
}
