package luciola.storage.engine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import luciola.storage.disk.DirectBlockFile;
import luciola.storage.index.KeyValues;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/** A target of format 2: its metadata is durable in the database's own log, and has no journal. */
class OlderFormatTest {
  private static final byte[] FORMAT = "Mformat".getBytes(US_ASCII);

  @TempDir Path directory;

  /** Makes a target as the release before did: what counts lies in the database's log. */
  private void fill() throws IOException, RocksDBException {
    var store = new MemoryKeyValues();
    Path files = Files.createDirectories(directory.resolve("blocks"));
    EngineParts parts =
        EngineFixture.parts(new MemoryDisk(1), store, ReplicaSource.NONE, EngineThreads.platform());
    var onDisk =
        new EngineParts(
            parts.config(),
            DirectBlockFile.in(files),
            parts.space(),
            store,
            parts.threads(),
            parts.scratch(),
            parts.replicas(),
            parts.nanos());
    try (ChunkEngine engine = ChunkEngine.open("t", onDisk)) {
      for (int number = 0; number < 3; number++) {
        stage(engine, write(number, 1, 0, bytes(number, 5000)));
        engine.commit(chunk(number), version(1), 1);
      }
    }
    RocksDB.loadLibrary();
    Path meta = Files.createDirectories(directory.resolve("meta"));
    try (var options = new Options().setCreateIfMissing(true).setAvoidFlushDuringShutdown(true);
        var synced = new WriteOptions().setSync(true);
        RocksDB db = RocksDB.open(options, meta.toString())) {
      for (KeyValues.Pair each : store.scan(new byte[] {0}, new byte[] {-1}, 10_000)) {
        db.put(synced, each.key(), each.value());
      }
      db.put(synced, FORMAT, new byte[] {2, 0, 0, 0});
    }
  }

  @Test
  void itIsOpenedAndIsOfThePresentFormatThen() throws IOException, RocksDBException {
    fill();
    for (int life = 1; life <= 2; life++) {
      try (ChunkEngine engine =
          ChunkEngine.open("t", directory, EngineFixture.CONFIG, ReplicaSource.NONE)) {
        assertEquals(List.of(), engine.verify().join().problems());
        for (int number = 0; number < 3; number++) {
          assertArrayEquals(bytes(number, 5000), read(engine, number, 1, 0, 5000));
        }
        stage(engine, write(2 + life, 1, 0, bytes(8, 100)));
        engine.commit(chunk(2 + life), version(1), 1);
      }
    }
    try (var options = new Options();
        RocksDB db = RocksDB.openReadOnly(options, directory.resolve("meta").toString())) {
      assertArrayEquals(new byte[] {3, 0, 0, 0}, db.get(FORMAT), "so the release before refuses");
    }
  }
}
