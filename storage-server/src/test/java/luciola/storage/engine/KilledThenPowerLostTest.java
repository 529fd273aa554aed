package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Random;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.Test;

/**
 * A process is killed, which loses nothing that it wrote, and power fails in its next life. Found
 * by the simulation.
 */
class KilledThenPowerLostTest {
  private static final int BYTES = 5000;

  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();

  /** Keeps none of the unsynced writes. */
  private static final Random NOTHING_KEPT =
      new Random(0) {
        @Override
        public int nextInt(int bound) {
          return 0;
        }
      };

  private ChunkEngine open(SteppedThreads threads) throws IOException {
    // A commit mark waits for nothing else to be written.
    EngineConfig config = EngineFixture.CONFIG.change().groupMax(1).build();
    return ChunkEngine.open(
        "t", EngineFixture.parts(config, disk, store, ReplicaSource.NONE, threads));
  }

  @Test
  void aBlockThatAnUnsyncedMarkFreedIsNotReusedBeforeTheMarkIsDurable() throws IOException {
    var killed = new SteppedThreads(1);
    ChunkEngine first = open(killed);
    for (int v = 1; v <= 2; v++) {
      var _ = first.stage(write(0, v, 0, bytes(v, BYTES)));
      killed.runAll();
    }
    first.commit(chunk(0), version(1), 1);
    killed.runAll();
    var _ = first.stage(write(1, 1, 0, bytes(10, BYTES)));
    killed.runAll();
    first.commit(chunk(0), version(2), 1);
    // The mark is written, and frees version 1's block; then the process is killed.
    while (store.unsynced() == 0) {
      assertTrue(killed.step(), "the mark is written");
    }

    var second = new SteppedThreads(2);
    ChunkEngine next = open(second);
    store.powerOff(NOTHING_KEPT);
    for (int number = 2; number < 5; number++) {
      var _ = next.stage(write(number, 1, 0, bytes(20 + number, BYTES)));
    }
    second.runAll(); // Blocks are written; their metadata is not, for power has failed.
    store.powerOn();

    try (ChunkEngine last = open(new SteppedThreads(3))) {
      for (VersionRecord held : last.chunk(chunk(0)).versions().toList()) {
        long v = held.version().value();
        assertArrayEquals(bytes(v, BYTES), read(last, 0, v, 0, BYTES));
      }
    }
  }
}
