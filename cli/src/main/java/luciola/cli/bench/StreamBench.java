package luciola.cli.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** One client that writes a file from end to end, durably, and reads it back. */
final class StreamBench {
  private static final double GIB = 1L << 30;

  private final LuciolaFileSystem files;
  private final String path;
  private final long fileBytes;
  private final int requestBytes;
  private final int inFlight;
  private final MemorySegment memory;

  /**
   * @param requestBytes of one read or write; divides {@code fileBytes}
   * @param inFlight reads at a time
   */
  StreamBench(
      LuciolaFileSystem files, String path, long fileBytes, int requestBytes, int inFlight) {
    this.files = files;
    this.path = path;
    this.fileBytes = fileBytes;
    this.requestBytes = requestBytes;
    this.inFlight = inFlight;
    this.memory = Arena.ofAuto().allocate((long) requestBytes * inFlight, 4096);
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    for (long at = 0; at < memory.byteSize(); at += Long.BYTES) {
      memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  /** Writes the file and makes it durable on every replica. */
  BenchResult write(double limit, String limitName) {
    MemorySegment block = memory.asSlice(0, requestBytes).asReadOnly();
    return timed(
        "write.seq",
        limit,
        limitName,
        () -> {
          try (WritableFile file = files.openWrite(path, OpenOptions.CREATE)) {
            for (long at = 0; at < fileBytes; at += requestBytes) {
              file.write(at, block);
            }
            file.sync();
          }
        });
  }

  /** Reads the file in order, several reads in flight. */
  BenchResult read(String name, double limit, String limitName) {
    return timed(
        name,
        limit,
        limitName,
        () -> {
          try (ReadableFile file = files.openRead(path)) {
            Deque<CompletableFuture<Long>> running = new ArrayDeque<>();
            int turn = 0;
            for (long at = 0; at < fileBytes; at += requestBytes) {
              if (running.size() == inFlight) {
                whole(running.remove().join());
              }
              running.add(file.read(at, memory.asSlice((long) turn * requestBytes, requestBytes)));
              turn = (turn + 1) % inFlight;
            }
            while (!running.isEmpty()) {
              whole(running.remove().join());
            }
          }
        });
  }

  /** Removes the file. */
  void clean() {
    files.remove(path);
  }

  private void whole(long bytes) {
    if (bytes != requestBytes) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bench: short read: path=" + path + " bytes=" + bytes);
    }
  }

  private BenchResult timed(String name, double limit, String limitName, Runnable work) {
    double cpu = cpuSeconds();
    long start = System.nanoTime();
    work.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    String full = String.format(Locale.ROOT, "%s.%s.q%d", name, size(requestBytes), inFlight);
    return new BenchResult(
        full,
        fileBytes / seconds,
        "B/s",
        limit,
        limitName,
        (cpuSeconds() - cpu) / (fileBytes / GIB));
  }

  private static String size(int bytes) {
    return bytes >= 1 << 20 ? (bytes >> 20) + "MiB" : (bytes >> 10) + "KiB";
  }

  private static double cpuSeconds() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return system instanceof com.sun.management.OperatingSystemMXBean process
        ? process.getProcessCpuTime() / 1e9
        : 0;
  }
}
