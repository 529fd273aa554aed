package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.update;
import static luciola.storage.engine.EngineFixture.version;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.Update;
import luciola.storage.disk.BlockClass;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.KeyValues;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import luciola.storage.journal.JournaledKeyValues;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random updates against a model in memory, with loss of power at any moment: what was acknowledged
 * is held, and every version that is held has the bytes the model gives it.
 */
class ChunkEngineCrashTest {
  private static final int CHUNKS = 5;

  private static final BlockClass JOURNAL = new BlockClass(0);
  private static final int JOURNAL_BYTES = 1 << 20;

  /** What a chunk is by the model: the bytes of each version; null: removed. */
  private static final class Model {
    final Map<Long, byte @Nullable []> history = new HashMap<>();
    long newest;
    long acknowledged;
    long committed;
  }

  private final Model[] models = new Model[CHUNKS];

  /** Of a chunk: with few bytes most updates are small ones. */
  private int bytesMax;

  /** What chunks get patches differs too, and how many. */
  private EngineConfig config = EngineFixture.CONFIG;

  private int patched;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void everyAcknowledgedVersionSurvivesAndHasItsBytes(long seed) throws IOException {
    survives(seed, false);
  }

  @ParameterizedTest
  @ValueSource(longs = {21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32})
  void soItDoesWithTheJournalOnTheSameDisk(long seed) throws IOException {
    survives(seed, true);
  }

  private void survives(long seed, boolean journaled) throws IOException {
    var random = new Random(seed);
    bytesMax = seed % 2 == 0 ? 200_000 : 30_000;
    config = EngineFixture.CONFIG.withPatches(seed % 2 == 0 ? 65_536 : 4096, 1 + (int) seed % 20);
    Arrays.setAll(models, _ -> new Model());
    var disk = new MemoryDisk(seed);
    var journal = new MemoryDisk(seed + 1000);
    var store = new MemoryKeyValues();
    for (int life = 0; life < 12; life++) {
      KeyValues metadata =
          journaled
              ? JournaledKeyValues.open(store, journal.open(JOURNAL), JOURNAL_BYTES, true)
              : store;
      ChunkEngine engine =
          ChunkEngine.open(
              "t",
              EngineFixture.parts(
                  config, disk, metadata, ReplicaSource.NONE, EngineThreads.platform()));
      recover(engine);
      run(engine, random);
      if (random.nextInt(4) == 0) {
        engine.close();
      } else {
        stageSome(engine, random);
        disk.powerOff();
        journal.powerOff();
        store.powerOff(random);
        closeWithoutPower(engine);
        disk.powerOn();
        journal.powerOn();
        store.powerOn();
      }
    }
    assertTrue(patched > 20, "patched versions met: " + patched);
  }

  /** Ends its threads; whether that fails depends on what was under way. */
  private static void closeWithoutPower(ChunkEngine engine) {
    try {
      engine.close();
    } catch (IOException e) {
      assertEquals("power is off", e.getMessage());
    }
  }

  private void run(ChunkEngine engine, Random random) throws IOException {
    for (int round = 0; round < 12; round++) {
      List<CompletableFuture<Staged>> all = stageSome(engine, random);
      all.forEach(CompletableFuture::join);
      for (Model model : models) {
        model.acknowledged = model.newest;
      }
      for (int i = 0; i < CHUNKS; i++) {
        commitSome(engine, i, random);
        readSome(engine, i, random);
      }
      if (random.nextInt(3) == 0) {
        var _ = engine.compact();
      }
    }
  }

  private List<CompletableFuture<Staged>> stageSome(ChunkEngine engine, Random random) {
    var all = new ArrayList<CompletableFuture<Staged>>();
    int count = 1 + random.nextInt(8);
    for (int i = 0; i < count; i++) {
      all.add(stageOne(engine, random.nextInt(CHUNKS), random));
    }
    return all;
  }

  private CompletableFuture<Staged> stageOne(ChunkEngine engine, int number, Random random) {
    Model model = models[number];
    byte @Nullable [] old = model.history.get(model.newest);
    int oldBytes = old == null ? 0 : old.length;
    byte[] base = old == null ? new byte[0] : old;
    byte[] payload = new byte[0];
    byte @Nullable [] next;
    Update update;
    switch (random.nextInt(14)) {
      case 0 -> {
        update = new Update.Remove();
        next = null;
      }
      case 1 -> {
        int length = random.nextInt(bytesMax);
        update = new Update.Truncate(length);
        next = Arrays.copyOf(base, length);
      }
      case 2 -> {
        payload = bytes(random.nextLong(), random.nextInt(bytesMax));
        update = new Update.Replace(payload.length, false);
        next = payload;
      }
      case 3, 4, 5, 6 -> {
        int offset = random.nextInt(Math.max(1, oldBytes));
        payload = bytes(random.nextLong(), 1 + random.nextInt(Math.min(9000, bytesMax - offset)));
        update = new Update.Write(offset, payload.length, 1 << 20);
        next = Arrays.copyOf(base, Math.max(base.length, offset + payload.length));
        System.arraycopy(payload, 0, next, offset, payload.length);
      }
      default -> {
        int offset =
            switch (random.nextInt(3)) {
              case 0 -> random.nextInt(bytesMax - 1);
              case 1 -> Math.min((oldBytes + 4095) / 4096 * 4096, bytesMax - 1);
              default -> Math.min(oldBytes, bytesMax - 1);
            };
        payload = bytes(random.nextLong(), 1 + random.nextInt(Math.min(60_000, bytesMax - offset)));
        update = new Update.Write(offset, payload.length, 1 << 20);
        next = Arrays.copyOf(base, Math.max(base.length, offset + payload.length));
        System.arraycopy(payload, 0, next, offset, payload.length);
      }
    }
    model.newest++;
    model.history.put(model.newest, next);
    return engine.stage(update(chunk(number), model.newest, update, payload, Optional.empty()));
  }

  private void commitSome(ChunkEngine engine, int number, Random random) {
    Model model = models[number];
    if (model.acknowledged > model.committed && random.nextInt(3) > 0) {
      model.committed += 1 + random.nextInt(Math.toIntExact(model.acknowledged - model.committed));
      engine.commit(chunk(number), version(model.committed), 1);
    }
  }

  private void readSome(ChunkEngine engine, int number, Random random) throws IOException {
    Model model = models[number];
    for (long v = Math.max(1, model.committed); v <= model.newest; v++) {
      byte @Nullable [] expected = model.history.get(v);
      if (expected == null || expected.length == 0) {
        continue;
      }
      int offset = random.nextInt(expected.length);
      int length = 1 + random.nextInt(expected.length - offset);
      assertArrayEquals(
          Arrays.copyOfRange(expected, offset, offset + length),
          read(engine, number, v, offset, length));
      patched +=
          engine
              .chunk(chunk(number))
              .find(version(v))
              .filter(held -> !held.patches().isEmpty())
              .map(_ -> 1)
              .orElse(0);
    }
  }

  private void recover(ChunkEngine engine) throws IOException {
    assertEquals(List.of(), engine.verify().join().problems());
    long used = 0;
    for (int i = 0; i < CHUNKS; i++) {
      Model model = models[i];
      ChunkRecord record = engine.chunk(chunk(i));
      long newest = record.newest().map(each -> each.version().value()).orElse(0L);
      assertTrue(newest >= model.acknowledged, "lost: chunk=" + i + " newest=" + newest);
      assertTrue(newest <= model.newest);
      for (VersionRecord each : record.versions().toList()) {
        verify(engine, i, each, model);
      }
      model.committed = record.committedIfAny().map(each -> each.version().value()).orElse(0L);
      model.newest = newest;
      model.acknowledged = newest;
      used += record.blocks().stream().mapToLong(each -> each.blockClass().blockBytes()).sum();
      assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(i)).join());
    }
    assertEquals(used, engine.usage().usedBytes());
  }

  private static void verify(ChunkEngine engine, int number, VersionRecord held, Model model)
      throws IOException {
    byte @Nullable [] expected = model.history.get(held.version().value());
    assertEquals(expected == null, held.removed());
    if (expected != null) {
      assertArrayEquals(
          expected, read(engine, number, held.version().value(), 0, Math.max(1, expected.length)));
    }
  }
}
