package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.storage.index.KeyValues;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;

/** An engine that one thread steps, as a simulator does: it waits for nothing. */
class OneThreadEngineTest {
  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();

  private ChunkEngine open(SteppedThreads threads) throws IOException {
    return ChunkEngine.open("t", EngineFixture.parts(disk, store, ReplicaSource.NONE, threads));
  }

  @Test
  void nothingHappensBeforeItIsStepped() throws IOException {
    var threads = new SteppedThreads(1);
    try (ChunkEngine engine = open(threads)) {
      CompletableFuture<Staged> staged = engine.stage(write(0, 1, 0, bytes(1, 5000)));
      assertFalse(staged.isDone());
      assertTrue(engine.chunk(chunk(0)).newest().isEmpty());
      threads.runAll();
      assertEquals(version(1), staged.join().version());
      engine.commit(chunk(0), version(1), 1);
      assertArrayEquals(bytes(1, 5000), read(engine, 0, 1, 0, 5000));
    }
    try (ChunkEngine engine = open(new SteppedThreads(1))) {
      assertEquals(version(1), engine.chunk(chunk(0)).committedIfAny().orElseThrow().version());
    }
  }

  @Test
  void moreUpdatesThanMayWaitAreDoneWithoutWaiting() throws IOException {
    var threads = new SteppedThreads(2);
    try (ChunkEngine engine = open(threads)) {
      var all = new ArrayList<CompletableFuture<Staged>>();
      for (int i = 0; i < 3 * EngineFixture.CONFIG.waitingMax(); i++) {
        all.add(engine.stage(write(i, 1, 0, bytes(i, 100))));
      }
      threads.runAll();
      assertTrue(all.stream().allMatch(CompletableFuture::isDone));
      assertEquals(all.size(), engine.usage().chunks());
    }
  }

  @Test
  void aFullDiskIsToldWithoutWaiting() throws IOException {
    var threads = new SteppedThreads(3);
    try (ChunkEngine engine = open(threads)) {
      disk.setFull(true);
      CompletableFuture<Staged> refused = engine.stage(write(0, 1, 0, bytes(1, 100)));
      threads.runAll();
      assertTrue(refused.isCompletedExceptionally());
    }
  }

  /** What a store does for a scan, and what happens right after it has looked. */
  private static final class ScannedStore implements KeyValues {
    private final KeyValues store;
    private Runnable afterScan = () -> {};

    ScannedStore(KeyValues store) {
      this.store = store;
    }

    @Override
    public Optional<byte[]> get(byte[] key) {
      return store.get(key);
    }

    @Override
    public List<Pair> scan(byte[] from, byte[] to, int limit) {
      List<Pair> seen = store.scan(from, to, limit);
      afterScan.run();
      return seen;
    }

    @Override
    public void write(List<Change> changes, boolean sync) throws IOException {
      store.write(changes, sync);
    }

    @Override
    public void sync() throws IOException {
      store.sync();
    }

    @Override
    public void close() {
      store.close();
    }
  }

  @Test
  void anInventoryNeverNamesAVersionThatWasDiscardedWhenItWasAskedFor() throws IOException {
    var threads = new SteppedThreads(4);
    var scanned = new ScannedStore(store);
    try (ChunkEngine engine =
        ChunkEngine.open("t", EngineFixture.parts(disk, scanned, ReplicaSource.NONE, threads))) {
      CompletableFuture<Staged> first = engine.stage(write(0, 1, 0, bytes(1, 5000)));
      threads.runAll();
      engine.commit(chunk(0), first.join().version(), 1);
      var _ = engine.stage(write(0, 2, 0, bytes(2, 5000)));
      threads.runAll();
      engine.discard(chunk(0), version(2));
      scanned.afterScan = threads::runAll;
      ChainContents.Inventory page = engine.chain(chunk(0).chain()).inventory(Optional.empty(), 10);
      assertEquals(version(1), page.chunks().getFirst().newest());
    }
  }

  @Test
  void aChainIsNotGoneWhileSomethingOfItIsOnItsWay() throws IOException {
    for (int seed = 1; seed <= 20; seed++) {
      var threads = new SteppedThreads(seed);
      try (ChunkEngine engine = open(threads)) {
        var _ = engine.stage(write(seed, 1, 0, bytes(seed, 5000)));
        boolean gone = false;
        for (int step = 0; step < 10 && !gone; step++) {
          CompletableFuture<Boolean> dropping = engine.chain(chunk(seed).chain()).drop(100);
          threads.runAll();
          gone = dropping.join();
        }
        assertTrue(gone);
        assertTrue(engine.chain(chunk(seed).chain()).isEmpty(), "seed=" + seed);
      }
    }
  }
}
