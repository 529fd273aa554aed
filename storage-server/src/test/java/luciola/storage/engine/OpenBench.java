package luciola.storage.engine;

import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.Bookkeeping;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.RocksKeyValues;
import luciola.storage.index.VersionRecord;

/**
 * Measures how long a target with many chunks takes to open, and in which heap: {@code make|open
 * directory chunks bytes}. Its block files are empty: only metadata is real.
 */
final class OpenBench {
  private static final int BATCH = 5000;

  private OpenBench() {}

  /** Makes a target, or opens it and prints figures. */
  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[1]);
    long chunks = Long.parseLong(args[2]);
    if (args[0].equals("make")) {
      make(directory, chunks, Integer.parseInt(args[3]));
    } else {
      open(directory, chunks);
    }
  }

  private static ChunkKey key(long number) {
    return new ChunkKey(
        new ChainId((int) (number % 16) + 1),
        new ChunkId(new InodeId(1 + number / 64), (int) number));
  }

  private static void make(Path directory, long chunks, int bytes) throws Exception {
    try (ChunkIndex index = ChunkIndex.open(RocksKeyValues.open(directory, 64L << 20));
        BlockStore blocks =
            BlockStore.open(_ -> new NoFile(), () -> Long.MAX_VALUE, Long.MAX_VALUE, 0)) {
      Ledger ledger = Ledger.open(index, blocks, System::nanoTime);
      var sums = new int[Granules.count(0, bytes)];
      for (long from = 0; from < chunks; from += BATCH) {
        var changes = new ArrayList<ChunkChange>();
        for (long i = from; i < Math.min(chunks, from + BATCH); i++) {
          BlockRef block = blocks.allocate(bytes);
          var version =
              new VersionRecord(
                  new ChunkVersion(1), 1, false, bytes, block, sums, Optional.empty());
          changes.add(
              new ChunkChange(key(i), ChunkRecord.NONE, new ChunkRecord(version, List.of())));
        }
        Bookkeeping books = ledger.book(changes, List.of(), ledger.nextBatch());
        index.write(
            new ChunkIndex.Batch(
                changes.stream()
                    .map(each -> new ChunkIndex.Entry(each.chunk(), each.after()))
                    .toList(),
                List.of(),
                List.of(),
                Map.of(),
                books),
            false);
      }
      index.sync();
    }
  }

  private static void open(Path directory, long chunks) throws Exception {
    var scratch = new PayloadPool(64 << 20);
    long start = System.nanoTime();
    var parts =
        new EngineParts(
            EngineConfig.DEFAULTS,
            _ -> new NoFile(),
            () -> Long.MAX_VALUE,
            RocksKeyValues.open(directory, EngineConfig.DEFAULTS.metadataCacheBytes()),
            EngineThreads.platform(),
            scratch,
            ReplicaSource.NONE,
            System::nanoTime);
    try (ChunkEngine engine = ChunkEngine.open("bench", parts)) {
      print("open", start);
      start = System.nanoTime();
      for (long i = 0; i < 1_000_000; i++) {
        long number = Math.floorMod(i * 0x9E3779B97F4A7C15L, chunks);
        if (engine.chunk(key(number)).newest().isEmpty()) {
          throw new IllegalStateException("lost: chunk=" + number);
        }
      }
      print("read 1000000 records at random", start);
      if (engine.usage().chunks() != chunks) {
        throw new IllegalStateException("chunks=" + engine.usage().chunks());
      }
      start = System.nanoTime();
      CheckReport report = engine.verify().join();
      print("verify records=" + report.records() + " problems=" + report.problems(), start);
    }
    scratch.close();
  }

  private static void print(String what, long start) {
    double seconds = (System.nanoTime() - start) / 1e9;
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    long heap = runtime.totalMemory() - runtime.freeMemory();
    System.out.printf("%s: seconds=%.2f heapMiB=%d%n", what, seconds, heap >> 20);
  }

  /** A file that takes everything and has nothing. */
  private static final class NoFile implements BlockFile {
    @Override
    public void write(long position, MemorySegment data) {}

    @Override
    public void writeCached(long position, MemorySegment data) {}

    @Override
    public void read(long position, MemorySegment into) {}

    @Override
    public void warm(long position, long bytes) {}

    @Override
    public void readDevice(long position, MemorySegment into) {}

    @Override
    public void flush() {}

    @Override
    public void preallocate(long position, long bytes) {}

    @Override
    public void punch(long position, long bytes) {}

    @Override
    public long size() {
      return 0;
    }

    @Override
    public FileChannel channel() {
      throw new UnsupportedOperationException("no file");
    }

    @Override
    public void close() {}
  }
}
