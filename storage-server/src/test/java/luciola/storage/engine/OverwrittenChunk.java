package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.plain;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * An engine with one long chunk, and what its newest version has to be. Tests overwrite it bit by
 * bit.
 */
abstract class OverwrittenChunk {
  static final int LENGTH = 200_000;
  static final long MAIN = 256 << 10;
  static final long PATCH = Granules.BYTES;

  final MemoryDisk disk = new MemoryDisk(1);
  final MemoryKeyValues store = new MemoryKeyValues();
  ReplicaSource replicas = ReplicaSource.NONE;
  EngineConfig config = EngineFixture.CONFIG;
  ChunkEngine engine;
  byte[] model = bytes(1, LENGTH);
  long newest;

  @BeforeEach
  final void open() throws IOException {
    engine =
        ChunkEngine.open(
            "t",
            EngineFixture.parts(
                config, disk, store, key -> replicas.others(key), EngineThreads.platform()));
  }

  @AfterEach
  final void close() throws IOException {
    assertEquals(List.of(), engine.verify().join().problems());
    engine.close();
  }

  void reopen(EngineConfig next) throws IOException {
    engine.close();
    config = next;
    open();
  }

  VersionRecord record(long version) {
    return engine.chunk(chunk(0)).find(version(version)).orElseThrow();
  }

  void begin() {
    stage(engine, write(0, 1, 0, model));
    newest = 1;
    commit();
  }

  void commit() {
    engine.commit(chunk(0), version(newest), 1);
  }

  /** Overwrites, or goes on behind the end. */
  VersionRecord put(int offset, int length) {
    byte[] data = bytes(newest + 100, length);
    model = Arrays.copyOf(model, Math.max(model.length, offset + length));
    System.arraycopy(data, 0, model, offset, length);
    stage(engine, write(0, ++newest, offset, data));
    return record(newest);
  }

  VersionRecord truncate(int length) {
    model = Arrays.copyOf(model, length);
    stage(engine, plain(0, ++newest, new Update.Truncate(length)));
    return record(newest);
  }

  void assertIsModel() throws IOException {
    assertArrayEquals(model, read(engine, 0, newest, 0, model.length + 1));
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(0)).join());
  }

  void assertUsed(long expected) {
    Waits.until(() -> engine.usage().usedBytes() == expected);
  }

  static List<Integer> patched(VersionRecord version) {
    return IntStream.range(0, version.patches().count())
        .mapToObj(version.patches()::granule)
        .toList();
  }
}
