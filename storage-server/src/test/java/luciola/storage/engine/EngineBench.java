package luciola.storage.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChunkKey;

/**
 * Measures an engine on a directory: {@code directory [flush|os] [overwrites]}. Prints one line for
 * each case; with a number, only of so many overwrites of 4 KiB in a chunk of 4 MiB, one at a time,
 * five times.
 */
final class EngineBench {
  private EngineBench() {}

  /**
   * Runs every case.
   *
   * @param args directory; durability; number of overwrites, where only these are wanted
   */
  public static void main(String[] args) throws Exception {
    Durability durability =
        args.length > 1 && args[1].equals("os") ? Durability.OS : Durability.FLUSH;
    try (ChunkEngine engine =
        ChunkEngine.open(
            "bench",
            Path.of(args[0]),
            EngineConfig.DEFAULTS.withDurability(durability),
            ReplicaSource.NONE)) {
      if (args.length > 2) {
        for (int i = 0; i < 5; i++) {
          overwrite(engine, 700 + i, 4 << 20, 4096, Integer.parseInt(args[2]));
        }
        return;
      }
      for (int i = 0; i < 2; i++) {
        write(engine, 100 + i, 4096, 1, 2000);
        write(engine, 200 + i, 4096, 64, 20_000);
        write(engine, 300 + i, 65_536, 16, 8000);
        write(engine, 400 + i, 4 << 20, 1, 128);
        write(engine, 500 + i, 4 << 20, 4, 256);
        read(engine, 500 + i, 4 << 20, 4 << 20, 256);
        read(engine, 500 + i, 4 << 20, 65_536, 20_000);
        read(engine, 200 + i, 4096, 4096, 20_000);
        overwrite(engine, 600 + i, 4 << 20, 4096, 2000);
      }
    }
  }

  private static ChunkKey key(int file, int chunk) {
    return new ChunkKey(new ChainId(1), new ChunkId(new InodeId(file), chunk));
  }

  private static void write(ChunkEngine engine, int file, int bytes, int depth, int count) {
    MemorySegment payload = Arena.ofAuto().allocate(bytes, 4096);
    payload.fill((byte) 5);
    int[] sums = Granules.checksums(0, payload);
    var flying = new ArrayDeque<CompletableFuture<Staged>>();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      if (flying.size() == depth) {
        flying.remove().join();
      }
      ChunkKey key = key(file, i);
      flying.add(
          engine
              .stage(
                  new ChunkUpdate(
                      key,
                      new ChunkVersion(1),
                      1,
                      new Update.Write(0, bytes, 4 << 20),
                      payload,
                      sums,
                      Optional.empty(),
                      false))
              .thenApply(staged -> {
                engine.commit(key, staged.version(), 1);
                return staged;
              }));
    }
    flying.forEach(CompletableFuture::join);
    print("write", bytes, depth, count, start);
  }

  /** Overwrites some bytes of one chunk again and again, each of them committed; then reads it. */
  private static void overwrite(ChunkEngine engine, int file, int chunkBytes, int bytes, int count)
      throws Exception {
    write(engine, file, chunkBytes, 1, 1);
    MemorySegment payload = Arena.ofAuto().allocate(bytes, 4096);
    ChunkKey key = key(file, 0);
    var latencies = new long[count];
    long cpu = cpuNanos();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      int offset = (int) Math.floorMod(i * 0x9E3779B97F4A7C15L, (long) chunkBytes / bytes) * bytes;
      int[] sums = Granules.checksums(offset, payload);
      long before = System.nanoTime();
      Staged staged =
          engine
              .stage(
                  new ChunkUpdate(
                      key,
                      new ChunkVersion(i + 2),
                      1,
                      new Update.Write(offset, bytes, chunkBytes),
                      payload,
                      sums,
                      Optional.empty(),
                      false))
              .join();
      latencies[i] = System.nanoTime() - before;
      engine.commit(key, staged.version(), 1);
    }
    long cpuAfter = cpuNanos();
    print("overwrite", bytes, 1, count, start);
    Arrays.sort(latencies);
    System.out.printf(
        "overwrite bytes=%d medianMicros=%d p10Micros=%d p99Micros=%d cpuMicros=%d patches=%d%n",
        bytes,
        latencies[count / 2] / 1000,
        latencies[count / 10] / 1000,
        latencies[count * 99 / 100] / 1000,
        (cpuAfter - cpu) / count / 1000,
        engine.chunk(key).newest().orElseThrow().patches().count());
    MemorySegment into = Arena.ofAuto().allocate(chunkBytes);
    for (int length : new int[] {4096, 65_536, chunkBytes}) {
      start = System.nanoTime();
      int reads = length == chunkBytes ? 300 : 20_000;
      for (int i = 0; i < reads; i++) {
        int offset = length == chunkBytes ? 0 : i * length % chunkBytes;
        try (ChunkRead read = engine.read(key, new ChunkVersion(count + 1), offset, length)) {
          receive(read, into);
        }
      }
      print("readPatched", length, 1, reads, start);
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean process
        ? process.getProcessCpuTime()
        : 0;
  }

  private static void receive(ChunkRead read, MemorySegment into) throws Exception {
    if (read instanceof ChunkRead.InFiles files) {
      for (ChunkRead.FileRange range : files.ranges()) {
        var buffer = into.asSlice(0, range.bytes()).asByteBuffer();
        while (buffer.hasRemaining()) {
          if (range.file().read(buffer, range.position() + buffer.position()) < 0) {
            throw new IllegalStateException("short file");
          }
        }
      }
    }
  }

  private static void read(ChunkEngine engine, int file, int chunkBytes, int bytes, int count)
      throws Exception {
    MemorySegment into = Arena.ofAuto().allocate(bytes);
    long start = System.nanoTime();
    int chunks = 200;
    for (int i = 0; i < count; i++) {
      int offset = chunkBytes == bytes ? 0 : (i * bytes) % (chunkBytes - bytes + 1);
      offset = offset / 4096 * 4096;
      try (ChunkRead read =
          engine.read(key(file, i % chunks), new ChunkVersion(1), offset, bytes)) {
        receive(read, into);
      }
    }
    print("read", bytes, 1, count, start);
  }

  private static void print(String what, int bytes, int depth, int count, long start) {
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%s bytes=%d depth=%d count=%d perSecond=%.0f MBperSecond=%.0f%n",
        what, bytes, depth, count, count / seconds, count / seconds * bytes / 1e6);
  }
}
