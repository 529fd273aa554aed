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
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChunkEngineTest {
  private final MemoryDisk disk = new MemoryDisk(1);
  private final MemoryKeyValues store = new MemoryKeyValues();
  private ReplicaSource replicas = ReplicaSource.NONE;
  private ChunkEngine engine;

  @BeforeEach
  void open() throws IOException {
    engine = EngineFixture.open(disk, store, key -> replicas.others(key));
  }

  @AfterEach
  void close() throws IOException {
    engine.close();
  }

  private BlockRef block(int chunk, long version) {
    return engine
        .chunk(chunk(chunk))
        .find(version(version))
        .flatMap(VersionRecord::blockIfAny)
        .orElseThrow();
  }

  private static ErrorCode codeOf(Throwable e) {
    if (e instanceof LuciolaException fault) {
      return fault.code();
    }
    if (e.getCause() instanceof LuciolaException fault) {
      return fault.code();
    }
    throw new AssertionError("no code", e);
  }

  private ErrorCode failure(ChunkUpdate update) {
    return codeOf(assertThrows(CompletionException.class, () -> stage(engine, update)));
  }

  @Test
  void aPendingVersionIsReadOnlyByItsNumberUntilItIsCommitted() throws IOException {
    byte[] first = bytes(1, 5000);
    stage(engine, write(0, 1, 0, first));
    assertTrue(engine.chunk(chunk(0)).committedIfAny().isEmpty());
    assertArrayEquals(first, read(engine, 0, 1, 0, 10_000));
    engine.commit(chunk(0), version(1), 3);
    VersionRecord committed = engine.chunk(chunk(0)).committedIfAny().orElseThrow();
    assertEquals(version(1), committed.version());
    assertEquals(3, committed.chainVersion());
    assertEquals(8192, engine.usage().usedBytes());
  }

  @Test
  void anOverwriteGoesToAnotherBlockAndFreesTheOldOneAfterTheCommit() throws IOException {
    byte[] old = bytes(1, 200_000);
    stage(engine, write(0, 1, 0, old));
    engine.commit(chunk(0), version(1), 1);
    byte[] patch = bytes(2, 70_000);
    stage(engine, write(0, 2, 70_000, patch));
    assertNotEquals(block(0, 1), block(0, 2));
    assertArrayEquals(old, read(engine, 0, 1, 0, 200_000));
    byte[] expected = old.clone();
    System.arraycopy(patch, 0, expected, 70_000, 70_000);
    assertArrayEquals(expected, read(engine, 0, 2, 0, 200_000));
    engine.commit(chunk(0), version(2), 1);
    Waits.until(() -> engine.usage().usedBytes() == 256 << 10);
    assertArrayEquals(expected, read(engine, 0, 2, 0, 200_000));
  }

  @Test
  void anAppendPastTheLastPageStaysInTheBlock() throws IOException {
    byte[] data = bytes(1, 50_000);
    stage(engine, write(0, 1, 0, Arrays.copyOf(data, 33_000)));
    stage(engine, write(0, 2, 36_864, Arrays.copyOfRange(data, 36_864, 50_000)));
    assertEquals(block(0, 1), block(0, 2));
    byte[] expected = data.clone();
    Arrays.fill(expected, 33_000, 36_864, (byte) 0);
    assertArrayEquals(expected, read(engine, 0, 2, 0, 50_000));
    assertArrayEquals(Arrays.copyOf(data, 33_000), read(engine, 0, 1, 0, 50_000));
    stage(engine, write(0, 3, 50_000, new byte[1]));
    assertNotEquals(block(0, 1), block(0, 3));
    stage(engine, write(0, 4, 53_248, new byte[4096]));
    assertEquals(block(0, 3), block(0, 4));
    stage(engine, write(0, 5, 57_344, new byte[200_000]));
    assertNotEquals(block(0, 4), block(0, 5));
    engine.commit(chunk(0), version(5), 1);
    Waits.until(() -> engine.usage().usedBytes() == 256 << 10);
  }

  @Test
  void anAppendAfterAShorteningNeverTouchesWhatIsCommitted() throws IOException {
    byte[] data = bytes(1, 32_768);
    stage(engine, write(0, 1, 0, data));
    engine.commit(chunk(0), version(1), 1);
    stage(engine, plain(0, 2, new Update.Truncate(4096)));
    stage(engine, write(0, 3, 4096, bytes(2, 4096)));
    stage(engine, plain(0, 4, new Update.Truncate(20_000)));
    assertArrayEquals(data, read(engine, 0, 1, 0, 40_000));
    byte[] expected = new byte[20_000];
    System.arraycopy(data, 0, expected, 0, 4096);
    System.arraycopy(bytes(2, 4096), 0, expected, 4096, 4096);
    assertArrayEquals(expected, read(engine, 0, 4, 0, 40_000));
  }

  @Test
  void aRemovedChunkIsGoneAndItsVersionGoesOn() throws IOException {
    stage(engine, write(0, 1, 0, bytes(1, 100)));
    stage(engine, plain(0, 2, new Update.Remove()));
    engine.commit(chunk(0), version(2), 1);
    LuciolaException gone = assertThrows(LuciolaException.class, () -> read(engine, 0, 2, 0, 100));
    assertEquals(ErrorCode.CHUNK_NOT_FOUND, gone.code());
    assertEquals(0, engine.usage().chunks());
    stage(engine, write(0, 3, 10, bytes(2, 5)));
    byte[] expected = new byte[15];
    System.arraycopy(bytes(2, 5), 0, expected, 10, 5);
    assertArrayEquals(expected, read(engine, 0, 3, 0, 100));
    assertEquals(1, engine.usage().chunks());
  }

  @Test
  void rangesAreCutAtTheEndAndAnsweredWithTheirOwnChecksums() throws IOException {
    byte[] data = bytes(1, 300_001);
    stage(engine, write(0, 1, 0, data));
    var random = new Random(5);
    for (int i = 0; i < 200; i++) {
      int offset = random.nextInt(300_100);
      int length = 1 + random.nextInt(300_100 - offset + 10);
      byte[] expected =
          offset >= data.length
              ? new byte[0]
              : Arrays.copyOfRange(data, offset, Math.min(data.length, offset + length));
      assertArrayEquals(expected, read(engine, 0, 1, offset, length));
    }
  }

  @Test
  void onlyTheNextVersionIsAcceptedButAReplacementIsAlways() throws IOException {
    stage(engine, write(0, 1, 0, bytes(1, 10)));
    assertEquals(ErrorCode.MISSING_UPDATE, failure(write(0, 3, 0, bytes(1, 10))));
    assertEquals(ErrorCode.MISSING_UPDATE, failure(write(0, 1, 0, bytes(1, 10))));
    byte[] whole = bytes(3, 9000);
    stage(engine, write(0, 2, 0, bytes(2, 10)));
    Update replace = new Update.Replace(9000, false);
    stage(engine, update(chunk(0), 2, replace, whole, Optional.empty()));
    assertArrayEquals(whole, read(engine, 0, 2, 0, 9000));
    assertEquals(2, engine.chunk(chunk(0)).pending().size());
    stage(engine, copy(0, 9, bytes(4, 100)));
    assertEquals(version(9), engine.chunk(chunk(0)).committedIfAny().orElseThrow().version());
    assertTrue(engine.chunk(chunk(0)).pending().isEmpty());
    Waits.until(() -> engine.usage().usedBytes() == 4096);
  }

  @Test
  void aFullDiskRefusesWithNothingHalfDoneAndGoesOnWhenThereIsRoom() {
    disk.setFull(true);
    assertEquals(ErrorCode.NO_SPACE, failure(write(0, 1, 0, bytes(1, 100_000))));
    assertTrue(engine.isHealthy());
    assertTrue(engine.chunk(chunk(0)).newest().isEmpty());
    assertEquals(0, engine.usage().usedBytes());
    disk.setFull(false);
    stage(engine, write(0, 1, 0, bytes(1, 100_000)));
  }

  @Test
  void aFailedDiskTakesNoMoreUpdates() {
    stage(engine, write(0, 1, 0, bytes(1, 100)));
    disk.powerOff();
    assertEquals(ErrorCode.DISK_ERROR, failure(write(0, 2, 0, bytes(1, 100))));
    disk.powerOn();
    assertFalse(engine.isHealthy());
    assertEquals(ErrorCode.DISK_ERROR, failure(write(1, 1, 0, bytes(1, 100))));
  }

  @Test
  void theLastUpdateOfAChannelIsKeptWithTheChunk() throws IOException {
    var tag = new UpdateTag(new ClientId(-5), 3, 8);
    Update update = new Update.Write(0, 10, 4096);
    stage(engine, update(chunk(0), 1, update, bytes(1, 10), Optional.of(tag)));
    var expected = new DedupRecord(tag, chunk(0).chunk(), version(1), 10);
    assertEquals(Optional.of(expected), engine.chain(CHAIN).dedup(new ClientId(-5), 3));
    assertEquals(Optional.empty(), engine.chain(CHAIN).dedup(new ClientId(-5), 4));
    var older =
        new DedupRecord(new UpdateTag(new ClientId(-5), 3, 7), chunk(9).chunk(), version(1), 1);
    var other =
        new DedupRecord(new UpdateTag(new ClientId(5), 0, 1), chunk(9).chunk(), version(1), 1);
    assertTrue(engine.chain(CHAIN).putDedups(List.of(older, other)).join());
    assertEquals(List.of(other, expected), engine.chain(CHAIN).dedups(Optional.empty(), 10));
    assertEquals(List.of(expected), engine.chain(CHAIN).dedups(Optional.of(other.tag()), 10));
    assertTrue(engine.chain(CHAIN).expireDedups(0, 10).join());
    assertEquals(List.of(), engine.chain(CHAIN).dedups(Optional.empty(), 10));
  }

  @Test
  void aDiscardedVersionIsGoneWithItsDedupRecordWhetherDurableOrNot() throws IOException {
    stage(engine, write(0, 1, 0, bytes(1, 100)));
    engine.commit(chunk(0), version(1), 1);
    var tag = new UpdateTag(new ClientId(4), 0, 1);
    Update update = new Update.Write(0, 10, 4096);
    stage(engine, update(chunk(0), 2, update, bytes(2, 10), Optional.of(tag)));
    assertTrue(engine.chain(CHAIN).dedup(new ClientId(4), 0).isPresent());
    var unfinished = engine.stage(write(0, 3, 0, bytes(3, 100_000)));
    engine.discard(chunk(0), version(2));
    assertTrue(engine.chunk(chunk(0)).pending().isEmpty());
    try {
      assertEquals(version(3), unfinished.join().version());
    } catch (CompletionException e) {
      assertEquals(ErrorCode.CANCELLED, codeOf(e));
    }
    assertTrue(engine.chunk(chunk(0)).pending().isEmpty());
    stage(engine, write(0, 2, 50, bytes(4, 100)));
    assertTrue(engine.chain(CHAIN).dedup(new ClientId(4), 0).isEmpty());
    byte[] expected = new byte[150];
    System.arraycopy(bytes(1, 100), 0, expected, 0, 100);
    System.arraycopy(bytes(4, 100), 0, expected, 50, 100);
    assertArrayEquals(expected, read(engine, 0, 2, 0, 200));
    engine.discard(chunk(0), version(1));
    Waits.until(() -> engine.usage().usedBytes() == 4096);
  }

  @Test
  void aForgottenChunkLeavesNothing() {
    stage(engine, write(0, 1, 0, bytes(1, 100)));
    assertFalse(engine.chain(CHAIN).isEmpty());
    assertTrue(engine.forget(chunk(0)).join());
    assertTrue(engine.chain(CHAIN).isEmpty());
    Waits.until(() -> engine.usage().usedBytes() == 0);
    stage(engine, write(0, 1, 0, bytes(1, 100)));
  }

  @Test
  void chainsOfOneTargetDoNotSeeEachOther() {
    stage(engine, write(0, 1, 0, bytes(1, 100)));
    var other = new ChunkKey(new ChainId(4), chunk(0).chunk());
    assertTrue(engine.chain(new ChainId(4)).isEmpty());
    Update update = new Update.Write(0, 10, 4096);
    stage(engine, update(other, 1, update, bytes(2, 10), Optional.empty()));
    assertEquals(1, engine.chain(CHAIN).inventory(Optional.empty(), 10).chunks().size());
    assertEquals(List.of(chunk(0)), engine.chain(CHAIN).pendingChunks());
    assertEquals(List.of(other), engine.chain(new ChainId(4)).pendingChunks());
    engine.commit(other, version(1), 1);
    assertEquals(List.of(), engine.chain(new ChainId(4)).pendingChunks());
  }

  @Test
  void theInventoryIsPagedInTheOrderOfChunks() {
    for (int i = 0; i < 5; i++) {
      stage(engine, write(i, 1, 0, bytes(i, 100 + i)));
    }
    engine.commit(chunk(1), version(1), 4);
    stage(engine, write(1, 2, 0, bytes(1, 500)));
    stage(engine, plain(3, 2, new Update.Remove()));
    List<ChunkSummary> first = engine.chain(CHAIN).inventory(Optional.empty(), 2).chunks();
    assertEquals(
        List.of(chunk(0).chunk(), chunk(1).chunk()),
        first.stream().map(ChunkSummary::chunk).toList());
    ChunkSummary one = first.get(1);
    assertEquals(version(1), one.committed());
    assertEquals(version(2), one.newest());
    assertEquals(101, one.chunkBytes());
    assertEquals(4, one.chainVersion());
    assertEquals(ChunkVersion.NONE, first.get(0).committed());
    assertEquals(
        3, engine.chain(CHAIN).inventory(Optional.of(chunk(1).chunk()), 10).chunks().size());
    assertEquals(
        List.of(
            new ChunkListReply.Item(1, 500),
            new ChunkListReply.Item(2, 102),
            new ChunkListReply.Item(4, 104)),
        engine.chain(CHAIN).chunks(new InodeId(7), 1, 10));
    assertEquals(2, engine.chain(CHAIN).chunks(new InodeId(7), 1, 2).size());
    assertEquals(List.of(), engine.chain(CHAIN).chunks(new InodeId(8), 0, 10));
  }

  @Test
  void aFlippedBitIsFoundAndRepairedFromAReplica() throws IOException {
    byte[] data = bytes(1, 150_000);
    stage(engine, write(0, 1, 0, data));
    engine.commit(chunk(0), version(1), 1);
    BlockRef bad = block(0, 1);
    disk.flip(bad.blockClass(), bad.position() + 70_000);
    LuciolaException found =
        assertThrows(LuciolaException.class, () -> read(engine, 0, 1, 66_000, 100));
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, found.code());
    assertEquals(ChunkEngine.Health.BAD, engine.check(chunk(0)).join());
    replicas = EngineFixture.replicaWith(1, data);
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(0)).join());
    assertArrayEquals(data, read(engine, 0, 1, 0, 150_000));
    assertNotEquals(bad, block(0, 1));
    assertTrue(engine.checksumErrors() >= 2);
  }

  @Test
  void anUpdateOfABadChunkFirstRepairsIt() throws IOException {
    byte[] data = bytes(1, 150_000);
    stage(engine, write(0, 1, 0, data));
    engine.commit(chunk(0), version(1), 1);
    BlockRef bad = block(0, 1);
    disk.flip(bad.blockClass(), bad.position() + 7000);
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, failure(write(0, 2, 10, bytes(2, 10))));
    replicas = EngineFixture.replicaWith(1, data);
    stage(engine, write(0, 2, 10, bytes(2, 10)));
    byte[] expected = data.clone();
    System.arraycopy(bytes(2, 10), 0, expected, 10, 10);
    assertArrayEquals(expected, read(engine, 0, 2, 0, 150_000));
  }

  @Test
  void waitingUpdatesShareOneFlush() {
    long before = disk.flushes();
    var all =
        java.util.stream.IntStream.range(0, 64)
            .mapToObj(i -> engine.stage(write(i, 1, 0, bytes(i, 4096))))
            .toList();
    all.forEach(java.util.concurrent.CompletableFuture::join);
    assertTrue(disk.flushes() - before <= 64);
    assertEquals(64, engine.usage().chunks());
  }
}
