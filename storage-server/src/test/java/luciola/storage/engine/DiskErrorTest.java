package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletionException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that answers EIO: bad places are repaired, failed writes end the engine's service. */
class DiskErrorTest {
  private static final int LENGTH = 150_000;

  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();
  private ReplicaSource replicas = ReplicaSource.NONE;
  private ChunkEngine engine;

  @BeforeEach
  void open() throws IOException {
    engine = EngineFixture.open(disk, store, key -> replicas.others(key));
    stage(engine, write(0, 1, 0, bytes(1, LENGTH)));
    engine.commit(chunk(0), version(1), 1);
  }

  @AfterEach
  void close() throws IOException {
    engine.close();
  }

  private BlockRef block() {
    return engine.chunk(chunk(0)).newest().flatMap(VersionRecord::blockIfAny).orElseThrow();
  }

  private void breakBlock() {
    disk.breakPages(block().blockClass(), block().position() + 65_536, 8192);
  }

  private void repairable() {
    replicas = EngineFixture.replicaWith(1, bytes(1, LENGTH));
  }

  private static ErrorCode codeOf(Throwable e) {
    Throwable cause = e instanceof CompletionException ? e.getCause() : e;
    return cause instanceof LuciolaException fault ? fault.code() : ErrorCode.INTERNAL;
  }

  @Test
  void anUnreadableBlockIsAnErrorUntilItIsRepairedElsewhere() throws IOException {
    BlockRef bad = block();
    breakBlock();
    assertEquals(
        ErrorCode.DISK_ERROR,
        codeOf(assertThrows(LuciolaException.class, () -> read(engine, 0, 1, 0, LENGTH))));
    assertEquals(ChunkEngine.Health.BAD, engine.check(chunk(0)).join());
    assertTrue(engine.isHealthy());
    repairable();
    assertThrows(LuciolaException.class, () -> read(engine, 0, 1, 0, LENGTH));
    Waits.until(() -> !block().equals(bad));
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(0)).join());
    assertArrayEquals(bytes(1, LENGTH), read(engine, 0, 1, 0, LENGTH));
    assertTrue(engine.checksumErrors() >= 2);
    assertEquals(List.of(), engine.verify().join().problems());
  }

  @Test
  void anUpdateOverUnreadableBytesIsRefusedOrRepairsThemFirst() throws IOException {
    breakBlock();
    assertEquals(
        ErrorCode.CHECKSUM_MISMATCH,
        codeOf(
            assertThrows(
                CompletionException.class,
                () -> stage(engine, write(0, 2, 70_000, bytes(2, 100))))));
    assertTrue(engine.isHealthy());
    repairable();
    stage(engine, write(0, 2, 70_000, bytes(2, 100)));
    assertArrayEquals(bytes(1, LENGTH), read(engine, 0, 1, 0, LENGTH));
    byte[] expected = bytes(1, LENGTH);
    System.arraycopy(bytes(2, 100), 0, expected, 70_000, 100);
    assertArrayEquals(expected, read(engine, 0, 2, 0, LENGTH));
  }

  @Test
  void aFailedFlushEndsTheServiceAndAcknowledgesNothing() throws IOException {
    disk.setFlushFails(true);
    assertEquals(
        ErrorCode.DISK_ERROR,
        codeOf(
            assertThrows(
                CompletionException.class, () -> stage(engine, write(1, 1, 0, bytes(2, LENGTH))))));
    disk.setFlushFails(false);
    assertFalse(engine.isHealthy());
    assertTrue(engine.failure().orElseThrow().contains("flush error"));
    assertEquals(
        ErrorCode.DISK_ERROR,
        codeOf(
            assertThrows(
                CompletionException.class, () -> stage(engine, write(1, 1, 0, bytes(2, 10))))));
    // What was there can still be read, by this life and by the next.
    assertArrayEquals(bytes(1, LENGTH), read(engine, 0, 1, 0, LENGTH));
    engine.close();
    engine = EngineFixture.open(disk, store, ReplicaSource.NONE);
    assertArrayEquals(bytes(1, LENGTH), read(engine, 0, 1, 0, LENGTH));
    assertTrue(engine.chunk(chunk(1)).newest().isEmpty());
    assertEquals(List.of(), engine.verify().join().problems());
  }

  @Test
  void whatTheDiskTakesIsMeasured() {
    EngineUsage usage = engine.usage();
    assertTrue(usage.writes().count() >= 1);
    assertTrue(usage.flushes().count() >= 1);
    long before = usage.reads().count();
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(0)).join());
    assertTrue(engine.usage().reads().count() > before);
    assertTrue(engine.usage().reads().p99Nanos() >= engine.usage().reads().medianNanos());
  }

  @Test
  void aFileThatWasCutOffIsFilledAgainFromAReplica(@TempDir Path directory) throws IOException {
    repairable();
    try (ChunkEngine first =
        ChunkEngine.open("cut", directory, EngineConfig.DEFAULTS, ReplicaSource.NONE)) {
      stage(first, write(0, 1, 0, bytes(1, LENGTH)));
      first.commit(chunk(0), version(1), 1);
    }
    try (FileChannel file =
        FileChannel.open(directory.resolve("blocks/blocks-256KiB"), StandardOpenOption.WRITE)) {
      file.truncate(4096);
    }
    try (ChunkEngine again = ChunkEngine.open("cut", directory, EngineConfig.DEFAULTS, replicas)) {
      assertEquals(List.of(), again.verify().join().problems());
      assertThrows(LuciolaException.class, () -> read(again, 0, 1, 0, LENGTH));
      assertTrue(again.check(chunk(0)).join() != ChunkEngine.Health.BAD);
      assertEquals(ChunkEngine.Health.GOOD, again.check(chunk(0)).join());
      assertArrayEquals(bytes(1, LENGTH), read(again, 0, 1, 0, LENGTH));
      stage(again, write(1, 1, 0, bytes(2, LENGTH)));
      assertArrayEquals(bytes(2, LENGTH), read(again, 1, 1, 0, LENGTH));
    }
  }
}
