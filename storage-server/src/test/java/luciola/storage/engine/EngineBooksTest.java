package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.CHAIN;
import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.copy;
import static luciola.storage.engine.EngineFixture.plain;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.update;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;
import luciola.storage.index.ChainTotals;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.KeyValues;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.Tombstone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is stored beside the records: that it is used, that it fits, and what it is for. */
class EngineBooksTest {
  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();
  private final AtomicLong nanos = new AtomicLong(77);

  private ChunkEngine open(EngineConfig config) throws IOException {
    EngineParts parts =
        EngineFixture.parts(disk, store, ReplicaSource.NONE, EngineThreads.platform());
    return ChunkEngine.open(
        "t",
        new EngineParts(
            config,
            parts.files(),
            parts.space(),
            parts.store(),
            parts.threads(),
            parts.scratch(),
            parts.replicas(),
            nanos::get));
  }

  private ChunkEngine open() throws IOException {
    return open(EngineFixture.CONFIG);
  }

  /** Ends its threads; whether that fails depends on what was under way. */
  private static void closeWithoutPower(ChunkEngine engine) {
    try {
      engine.close();
    } catch (IOException e) {
      assertEquals("power is off", e.getMessage());
    }
  }

  private static void committed(ChunkEngine engine, int chunk, int length) {
    stage(engine, write(chunk, 1, 0, bytes(chunk, length)));
    engine.commit(chunk(chunk), version(1), 1);
  }

  private static void removed(ChunkEngine engine, int chunk, long at) {
    stage(engine, plain(chunk, at, new Update.Remove()));
    engine.commit(chunk(chunk), version(at), 1);
  }

  private static void flush(ChunkEngine engine) {
    assertTrue(engine.chain(CHAIN).putDedups(List.of()).join());
  }

  @Test
  void openingReadsGroupsAndPendingChunksButNoOtherRecord() throws IOException {
    try (ChunkEngine engine = open()) {
      var all = new ArrayList<CompletableFuture<Staged>>();
      for (int i = 0; i < 2000; i++) {
        all.add(engine.stage(copy(i, 1, new byte[4096])));
      }
      all.forEach(CompletableFuture::join);
      stage(engine, write(5, 2, 0, new byte[5]));
    }
    long before = store.read();
    try (ChunkEngine engine = open()) {
      // Format, totals, one chain, eight groups of 4 KiB, one pending chunk read three times.
      assertTrue(store.read() - before <= 20, "read: " + (store.read() - before));
      assertEquals(2000, engine.usage().chunks());
      assertEquals(2001 * 4096, engine.usage().usedBytes());
      assertEquals(List.of(chunk(5)), engine.chain(CHAIN).pendingChunks());
      assertEquals(List.of(), engine.verify().join().problems());
      assertEquals(2000, engine.verify().join().records());
    }
  }

  @Test
  void recordsInUseAreKeptInMemoryWithinABound() throws IOException {
    try (ChunkEngine engine = open()) {
      for (int i = 0; i < 100; i++) {
        committed(engine, i, 100);
      }
      flush(engine);
      long before = store.read();
      for (int i = 0; i < 1000; i++) {
        assertEquals(version(1), engine.chunk(chunk(i % 5)).newest().orElseThrow().version());
      }
      assertTrue(store.read() - before <= 5);
    }
    var cache = new RecordCache(10_000);
    var record = new ChunkRecord(null, List.of());
    for (int i = 0; i < 1000; i++) {
      cache.put(chunk(i), record);
      assertTrue(cache.bytes() <= 10_000);
      assertEquals(record, cache.get(chunk(i)));
    }
    assertEquals(null, cache.get(chunk(0)));
    cache.remove(chunk(999));
    assertEquals(null, cache.get(chunk(999)));
  }

  @Test
  void totalsOfAChainFollowItsChunks() throws IOException {
    try (ChunkEngine engine = open()) {
      committed(engine, 0, 100);
      committed(engine, 1, 5000);
      stage(engine, write(1, 2, 6000, bytes(2, 10)));
      assertEquals(new ChainTotals(CHAIN, 2, 2, 6110, 0, 0), engine.chain(CHAIN).totals());
      removed(engine, 0, 2);
      flush(engine);
      assertEquals(new ChainTotals(CHAIN, 2, 1, 6010, 1, 0), engine.chain(CHAIN).totals());
      assertEquals(ChainTotals.none(new ChainId(9)), engine.chain(new ChainId(9)).totals());
    }
    try (ChunkEngine engine = open()) {
      assertEquals(new ChainTotals(CHAIN, 2, 1, 6010, 1, 0), engine.chain(CHAIN).totals());
    }
  }

  @Test
  void tombstonesAreListedWithTheirAgeAndForgottenOnlyWhileNothingNewerIsThere()
      throws IOException {
    try (ChunkEngine engine = open()) {
      for (int i = 0; i < 4; i++) {
        committed(engine, i, 100);
        removed(engine, i, 2);
      }
      flush(engine);
      nanos.addAndGet(60_000_000_000L);
      committed(engine, 9, 10);
      removed(engine, 9, 2);
      flush(engine);
      List<Tombstone> all = engine.chain(CHAIN).tombstones(Optional.empty(), 10);
      assertEquals(5, all.size());
      assertEquals(new Tombstone(chunk(9), version(2), 60), all.getLast());
      assertEquals(0, all.getFirst().sinceSeconds());
      assertEquals(
          all.subList(1, 3), engine.chain(CHAIN).tombstones(Optional.of(chunk(0).chunk()), 2));
      stage(engine, write(1, 3, 0, bytes(1, 10)));
      stage(engine, write(2, 3, 0, bytes(1, 10)));
      engine.commit(chunk(2), version(3), 1);
      assertEquals(2, engine.chain(CHAIN).collect(all.subList(0, 4), 17).join());
      assertEquals(17, engine.chain(CHAIN).totals().versionFloor());
      assertTrue(engine.chunk(chunk(0)).newest().isEmpty());
      assertEquals(version(3), engine.chunk(chunk(1)).newest().orElseThrow().version());
      assertEquals(
          List.of(chunk(1), chunk(9)),
          engine.chain(CHAIN).tombstones(Optional.empty(), 10).stream()
              .map(Tombstone::chunk)
              .toList());
      assertTrue(engine.chain(CHAIN).raiseVersionFloor(5).join());
      assertEquals(17, engine.chain(CHAIN).totals().versionFloor());
      // A chunk that is not known, or removed, may begin at any later number.
      stage(engine, write(0, 18, 0, bytes(1, 10)));
      stage(engine, write(9, 40, 0, bytes(1, 10)));
      assertEquals(List.of(), engine.verify().join().problems());
    }
    try (ChunkEngine engine = open()) {
      assertEquals(17, engine.chain(CHAIN).totals().versionFloor());
    }
  }

  @Test
  void aChainThatMovedAwayIsRemovedStepByStepAlsoAcrossACrash() throws IOException {
    var other = new ChunkKey(new ChainId(4), chunk(0).chunk());
    try (ChunkEngine engine = open()) {
      for (int i = 0; i < 50; i++) {
        var tag = new UpdateTag(new ClientId(i + 1), 0, 1);
        Update update = new Update.Write(0, 100, 4096);
        stage(engine, update(chunk(i), 1, update, bytes(i, 100), Optional.of(tag)));
      }
      removed(engine, 7, 2);
      assertTrue(engine.chain(CHAIN).raiseVersionFloor(3).join());
      Update update = new Update.Write(0, 10, 4096);
      stage(engine, update(other, 1, update, bytes(2, 10), Optional.empty()));
      assertFalse(engine.chain(CHAIN).drop(20).join());
      assertEquals(30, engine.chain(CHAIN).totals().records());
      disk.powerOff();
      store.powerOff(new Random(1));
      closeWithoutPower(engine);
    }
    disk.powerOn();
    store.powerOn();
    try (ChunkEngine engine = open()) {
      int steps = 0;
      while (!engine.chain(CHAIN).drop(20).join()) {
        steps++;
      }
      assertTrue(steps >= 4 && steps <= 6, "steps: " + steps);
      assertTrue(engine.chain(CHAIN).isEmpty());
      assertEquals(ChainTotals.none(CHAIN), engine.chain(CHAIN).totals());
      assertFalse(engine.chain(new ChainId(4)).isEmpty());
      Waits.until(() -> engine.usage().usedBytes() == 4096);
      assertEquals(List.of(), engine.verify().join().problems());
    }
  }

  @Test
  void aClockThatIsSetChangesNothingOfWhatIsKept() throws IOException {
    var tag = new UpdateTag(new ClientId(4), 0, 1);
    Update update = new Update.Write(0, 10, 4096);
    try (ChunkEngine engine = open()) {
      stage(engine, update(chunk(0), 1, update, bytes(2, 10), Optional.of(tag)));
      nanos.addAndGet(100_000_000_000L);
      stage(engine, write(1, 1, 0, bytes(1, 10)));
      assertEquals(100, engine.ageSeconds());
    }
    nanos.set(-5_000_000_000_000L);
    try (ChunkEngine engine = open()) {
      assertEquals(100, engine.ageSeconds());
      assertTrue(engine.chain(CHAIN).expireDedups(101, 10).join());
      assertTrue(engine.chain(CHAIN).dedup(new ClientId(4), 0).isPresent());
      nanos.addAndGet(1_000_000_000L);
      assertTrue(engine.chain(CHAIN).expireDedups(101, 10).join());
      assertTrue(engine.chain(CHAIN).dedup(new ClientId(4), 0).isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void withoutFlushesVersionsThatArrivedTornAreDroppedAtOpen(long seed) throws IOException {
    EngineConfig config = EngineFixture.CONFIG.withDurability(Durability.OS);
    var torn = new MemoryDisk(seed);
    EngineParts parts =
        EngineFixture.parts(torn, store, ReplicaSource.NONE, EngineThreads.platform());
    try (ChunkEngine engine = ChunkEngine.open("t", EngineFixture.with(parts, config))) {
      for (int i = 0; i < 20; i++) {
        stage(engine, write(i, 1, 0, bytes(i, 9000)));
      }
      store.sync();
      torn.powerOff();
      store.powerOff(new Random(seed));
      closeWithoutPower(engine);
    }
    torn.powerOn();
    store.powerOn();
    try (ChunkEngine engine = ChunkEngine.open("t", EngineFixture.with(parts, config))) {
      int held = 0;
      for (int i = 0; i < 20; i++) {
        if (engine.chunk(chunk(i)).newest().isPresent()) {
          held++;
          assertArrayEquals(bytes(i, 9000), read(engine, i, 1, 0, 9000));
        }
      }
      assertTrue(held < 20);
      flush(engine);
      assertEquals(List.of(), engine.verify().join().problems());
    }
  }

  @Test
  void whatDoesNotFitTheRecordsIsFound() throws IOException {
    try (ChunkEngine engine = open()) {
      committed(engine, 0, 100);
      committed(engine, 1, 100);
      removed(engine, 1, 2);
      stage(engine, write(2, 1, 0, bytes(2, 10)));
    }
    for (byte letter : new byte[] {'C', 'G', 'N', 'P', 'T'}) {
      for (KeyValues.Pair pair :
          store.scan(new byte[] {letter}, new byte[] {(byte) (letter + 1)}, 100)) {
        store.write(List.of(new KeyValues.Change(pair.key(), null)), true);
        assertTrue(isNoticed(), "letter " + (char) letter);
        store.write(List.of(new KeyValues.Change(pair.key(), pair.value())), true);
      }
    }
    assertFalse(isNoticed());
  }

  private boolean isNoticed() throws IOException {
    try (ChunkEngine engine = open()) {
      return !engine.verify().join().problems().isEmpty();
    } catch (LuciolaException e) {
      assertEquals(ErrorCode.CORRUPT_DATA, e.code());
      return true;
    }
  }

  @Test
  void anotherFormatIsRefused() throws IOException {
    open().close();
    byte[] key = "Mformat".getBytes(StandardCharsets.US_ASCII);
    store.write(List.of(new KeyValues.Change(key, new byte[] {1, 0, 0, 0})), true);
    LuciolaException old = assertThrows(LuciolaException.class, this::open);
    assertEquals(ErrorCode.UNSUPPORTED, old.code());
    assertTrue(String.valueOf(old.getMessage()).contains("older release"));
    store.write(List.of(new KeyValues.Change(key, new byte[] {9, 0, 0, 0})), true);
    assertEquals(ErrorCode.FORMAT_TOO_NEW, assertThrows(LuciolaException.class, this::open).code());
    store.write(List.of(new KeyValues.Change(key, new byte[] {9})), true);
    assertEquals(ErrorCode.CORRUPT_DATA, assertThrows(LuciolaException.class, this::open).code());
  }
}
