package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.update;
import static luciola.storage.engine.EngineFixture.version;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;
import luciola.protocol.frame.Update;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;

/** Small updates are durable in the metadata first and in their blocks later. */
class SmallWritesTest {
  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();

  private ChunkEngine open() throws IOException {
    return ChunkEngine.open(
        "t",
        EngineFixture.parts(
            EngineFixture.QUIET, disk, store, ReplicaSource.NONE, EngineThreads.platform()));
  }

  private static void write(ChunkEngine engine, int chunk, long version, int offset, byte[] data) {
    engine
        .stage(
            update(
                chunk(chunk),
                version,
                new Update.Write(offset, data.length, 1 << 20),
                data,
                Optional.empty()))
        .join();
  }

  private int kept() throws IOException {
    return ChunkIndex.open(store).smallBytes(1000).size();
  }

  private void losePower(ChunkEngine engine) {
    disk.powerOff();
    store.powerOff(new Random(1));
    try {
      engine.close(); // ends its threads
    } catch (IOException e) {
      assertEquals("power is off", e.getMessage());
    }
    disk.powerOn();
    store.powerOn();
  }

  @Test
  void aSmallUpdateNeedsNoFlushOfItsFile() throws IOException {
    try (ChunkEngine engine = open()) {
      byte[] data = bytes(1, 5000);
      long before = disk.flushes();
      write(engine, 1, 1, 0, data);
      assertEquals(before, disk.flushes());
      assertArrayEquals(data, read(engine, 1, 1, 0, 5000));
    }
  }

  @Test
  void aCleanStopLeavesNothingInTheMetadata() throws IOException {
    try (ChunkEngine engine = open()) {
      write(engine, 1, 1, 0, bytes(1, 5000));
      assertEquals(1, kept());
    }
    assertEquals(0, kept());
  }

  @Test
  void whatWasNotFlushedComesBackAfterALossOfPower() throws IOException {
    byte[] first = bytes(1, 5000);
    byte[] second = bytes(2, 9000);
    ChunkEngine engine = open();
    write(engine, 1, 1, 0, first);
    write(engine, 1, 2, 8192, second);
    losePower(engine);
    try (ChunkEngine again = open()) {
      assertEquals(0, kept());
      assertEquals(ChunkEngine.Health.GOOD, again.check(chunk(1)).join());
      assertArrayEquals(first, read(again, 1, 1, 0, 5000));
      assertArrayEquals(second, read(again, 1, 2, 8192, 9000));
    }
  }

  @Test
  void aLargeUpdateOfTheSameFileMakesTheSmallOnesFlushed() throws IOException {
    try (ChunkEngine engine = open()) {
      write(engine, 1, 1, 0, bytes(1, 65_536));
      assertEquals(1, kept());
      write(engine, 2, 1, 0, bytes(2, 65_536));
      assertEquals(2, kept());
      write(engine, 2, 2, 65_536, bytes(3, 5000)); // in a block of 128 KiB
      assertEquals(2, kept());
      write(engine, 3, 1, 0, bytes(4, 100_000)); // in the same file, too long to be kept
      assertEquals(2, kept());
      write(engine, 3, 2, 102_400, bytes(5, 5000));
      assertEquals(3, kept());
      write(engine, 4, 1, 0, bytes(6, 100_000));
      assertEquals(2, kept());
    }
  }

  @Test
  void bytesOfAFreedBlockAreForgottenWithIt() throws IOException {
    try (ChunkEngine engine = open()) {
      write(engine, 1, 1, 0, bytes(1, 5000));
      write(engine, 1, 2, 0, bytes(2, 5000));
      write(engine, 2, 1, 0, bytes(3, 100));
      assertEquals(3, kept());
      engine.commit(chunk(1), version(2), 1);
      write(engine, 2, 2, 0, bytes(4, 100)); // durable behind the commit mark
      assertEquals(3, kept());
    }
  }

  @Test
  void aPlaceThatIsWrittenAgainHasOnlyTheNewBytes() throws IOException {
    byte[] base = bytes(1, 40_960); // in a block of 64 KiB, which takes what is appended
    byte[] longer = bytes(4, 20_000);
    ChunkEngine engine = open();
    write(engine, 1, 1, 0, base);
    write(engine, 1, 2, 40_960, bytes(2, 4096));
    write(engine, 1, 3, 45_056, bytes(3, 4096));
    engine.discard(chunk(1), version(2));
    write(engine, 1, 2, 40_960, longer);
    losePower(engine);
    try (ChunkEngine again = open()) {
      assertArrayEquals(base, read(again, 1, 2, 0, 40_960));
      assertArrayEquals(longer, read(again, 1, 2, 40_960, 20_000));
      assertEquals(ChunkEngine.Health.GOOD, again.check(chunk(1)).join());
    }
  }
}
