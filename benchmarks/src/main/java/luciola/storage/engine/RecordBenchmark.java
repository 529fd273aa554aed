package luciola.storage.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Metadata records: their bytes, and the cache of decoded ones. */
@NullMarked
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RecordBenchmark {
  private static final int CHUNKS = 4096;
  private static final long CACHE_BYTES = 64 << 20;

  /** Length of each chunk. */
  @Param({"4096", "4194304"})
  public int chunkBytes;

  private final List<ChunkKey> keys = new ArrayList<>();
  private final RecordCache cache = new RecordCache(CACHE_BYTES);
  private final SplittableRandom random = new SplittableRandom(1);
  private ChunkRecord record = ChunkRecord.NONE;
  private byte[] encoded = {};

  /** Makes records and fills the cache. */
  @Setup
  public void setUp() {
    for (int i = 0; i < CHUNKS; i++) {
      record = record(i);
      keys.add(new ChunkKey(new ChainId(1), new ChunkId(new InodeId(7), i)));
      cache.put(keys.getLast(), record);
    }
    encoded = record.toBytes();
  }

  private ChunkRecord record(int number) {
    int[] granules = new int[Granules.count(0, chunkBytes)];
    return new ChunkRecord(
        new VersionRecord(
            new ChunkVersion(1),
            1,
            false,
            chunkBytes,
            new BlockRef(BlockClass.fitting(chunkBytes), number),
            granules,
            Optional.empty()),
        List.of());
  }

  /** To stored bytes. */
  @Benchmark
  public byte[] encode() {
    return record.toBytes();
  }

  /** From stored bytes, as a miss of the cache needs it. */
  @Benchmark
  public ChunkRecord decode() {
    return ChunkRecord.fromBytes(encoded);
  }

  /** A record that is there, anywhere. */
  @Benchmark
  public @Nullable ChunkRecord cacheHit() {
    return cache.get(keys.get(random.nextInt(CHUNKS)));
  }
}
