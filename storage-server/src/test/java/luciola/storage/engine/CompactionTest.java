package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.copy;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Space comes back, and blocks of one size do not starve those of another. */
class CompactionTest {
  private static final long MIB = 1 << 20;
  private static final EngineConfig SMALL = EngineFixture.CONFIG.withCapacityBytes(8 * MIB);

  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();

  private ChunkEngine open(EngineConfig config, EngineThreads threads) throws IOException {
    return ChunkEngine.open(
        "t",
        EngineFixture.with(EngineFixture.parts(disk, store, ReplicaSource.NONE, threads), config));
  }

  private ChunkEngine open(EngineConfig config) throws IOException {
    return open(config, EngineThreads.platform());
  }

  /** Chunks of one page each, committed. */
  private static void fill(ChunkEngine engine, int count) {
    var all = new ArrayList<CompletableFuture<Staged>>();
    for (int i = 0; i < count; i++) {
      all.add(engine.stage(copy(i, 1, bytes(i, 4000))));
    }
    all.forEach(CompletableFuture::join);
  }

  private static void forget(ChunkEngine engine, List<Integer> chunks) {
    chunks.stream().map(i -> engine.forget(chunk(i))).toList().forEach(CompletableFuture::join);
  }

  private static ErrorCode codeOf(CompletableFuture<Staged> staged) {
    return staged
        .handle((done, failed) -> {
          if (failed == null) {
            return ErrorCode.OK;
          }
          Throwable cause = failed instanceof CompletionException ? failed.getCause() : failed;
          return cause instanceof LuciolaException fault ? fault.code() : ErrorCode.INTERNAL;
        })
        .join();
  }

  @Test
  void halfEmptyRunsAreMovedTogetherAndTheirSpaceComesBack() throws IOException {
    try (ChunkEngine engine = open(EngineFixture.CONFIG)) {
      fill(engine, 2048);
      assertEquals(8 * MIB, engine.usage().allocatedBytes());
      assertEquals(0, engine.compact().join());
      var even = IntStream.range(0, 1024).map(i -> 2 * i).boxed().toList();
      forget(engine, even);
      assertEquals(8 * MIB, engine.usage().allocatedBytes());
      long gained = engine.compact().join();
      assertTrue(gained >= 3 * MIB, "gained: " + gained);
      assertEquals(8 * MIB - gained, engine.usage().allocatedBytes());
      assertTrue(disk.heldBytes() <= 8 * MIB - gained);
      for (int i = 1; i < 2048; i += 2) {
        assertArrayEquals(bytes(i, 4000), read(engine, i, 1, 0, 4000));
      }
      assertEquals(List.of(), engine.verify().join().problems());
    }
    try (ChunkEngine engine = open(EngineFixture.CONFIG)) {
      assertEquals(1024 * 4096, engine.usage().usedBytes());
      assertArrayEquals(bytes(2047, 4000), read(engine, 2047, 1, 0, 4000));
    }
  }

  @Test
  void blocksOfOneSizeDoNotStarveThoseOfAnother() throws IOException {
    try (ChunkEngine engine = open(SMALL)) {
      fill(engine, 2048);
      assertEquals(ErrorCode.NO_SPACE, codeOf(engine.stage(write(9999, 1, 0, new byte[4096]))));
      assertFalse(engine.hasRoomFor(4096));
      assertTrue(engine.usage().lowSpace());
      forget(engine, IntStream.range(0, 2048).filter(i -> i % 4 != 0).boxed().toList());
      // Every run still has a quarter of its blocks: only compaction makes room for 4 KiB × 2.
      Waits.until(() -> codeOf(engine.stage(write(9999, 1, 0, bytes(1, 8000)))) == ErrorCode.OK);
      assertArrayEquals(bytes(1, 8000), read(engine, 9999, 1, 0, 8000));
      for (int i = 0; i < 2048; i += 4) {
        assertArrayEquals(bytes(i, 4000), read(engine, i, 1, 0, 4000));
      }
      assertTrue(engine.isHealthy());
      assertEquals(List.of(), engine.verify().join().problems());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void updatesAndReadsGoOnWhileBlocksAreMoved(long seed) throws IOException {
    var random = new Random(seed);
    Map<Integer, byte[]> model = new HashMap<>();
    Map<Integer, Long> versions = new HashMap<>();
    var threads = new SteppedThreads(seed);
    try (ChunkEngine engine = open(EngineFixture.CONFIG, threads)) {
      for (int round = 0; round < 60; round++) {
        var flying = new ArrayList<CompletableFuture<Staged>>();
        for (int i = 0; i < 100; i++) {
          int number = random.nextInt(1500);
          long next = versions.merge(number, 1L, Long::sum);
          byte[] data = bytes(random.nextLong(), 1 + random.nextInt(4096));
          byte[] old = model.getOrDefault(number, new byte[0]);
          byte[] image = Arrays.copyOf(data, Math.max(data.length, old.length));
          if (old.length > data.length) {
            System.arraycopy(old, data.length, image, data.length, old.length - data.length);
          }
          model.put(number, image);
          flying.add(
              engine
                  .stage(write(number, next, 0, data))
                  .thenApply(staged -> {
                    engine.commit(chunk(number), version(next), 1);
                    return staged;
                  }));
          if (random.nextInt(30) == 0) {
            var _ = engine.compact();
          }
          for (int steps = random.nextInt(8); steps > 0; steps--) {
            threads.step();
          }
        }
        threads.runAll();
        flying.forEach(CompletableFuture::join);
        for (int i = 0; i < 30; i++) {
          int number = random.nextInt(1500);
          byte[] expected = model.get(number);
          if (expected != null) {
            assertArrayEquals(
                expected, read(engine, number, versions.getOrDefault(number, 0L), 0, 5000));
          }
        }
      }
      var report = engine.verify();
      threads.runAll();
      assertEquals(List.of(), report.join().problems());
      long used = model.size() * 4096L;
      assertEquals(used, engine.usage().usedBytes());
      var _ = engine.compact();
      threads.runAll();
      assertTrue(engine.usage().allocatedBytes() <= used + 3 * MIB);
    }
  }

  @Test
  void aBlockThatIsReadKeepsItsPlaceUntilItsReaderIsDone() throws IOException {
    try (ChunkEngine engine = open(EngineFixture.CONFIG)) {
      fill(engine, 768);
      forget(engine, IntStream.range(0, 768).filter(i -> i % 8 != 0).boxed().toList());
      var held = new ArrayList<HeldVersion>();
      for (int i = 0; i < 768; i += 8) {
        held.add(engine.hold(chunk(i), version(1)));
      }
      engine.compact().join();
      assertEquals(3 * MIB, engine.usage().allocatedBytes());
      for (int i = 0; i < 768; i += 8) {
        try (ChunkRead old = engine.read(held.get(i / 8), 0, 4000)) {
          assertEquals(4000, old.dataBytes());
        }
        assertArrayEquals(bytes(i, 4000), read(engine, i, 1, 0, 4000));
      }
      Waits.until(() -> engine.usage().usedBytes() == 96 * 4096);
    }
  }
}
