package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.CHAIN;
import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.copy;
import static luciola.storage.engine.EngineFixture.plain;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Update;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.Test;

/** Small overwrites of long chunks: what they share, what they write and what they free. */
class PatchedChunksTest extends OverwrittenChunk {
  @Test
  void anOverwriteOfAFewBytesWritesTheirGranulesOnly() throws IOException {
    begin();
    VersionRecord two = put(50_000, 100);
    assertEquals(List.of(3), patched(two));
    assertEquals(record(1).block(), two.block());
    assertIsModel();
    assertArrayEquals(bytes(1, LENGTH), read(engine, 0, 1, 0, LENGTH));
    assertUsed(MAIN + PATCH);
    commit();
    assertEquals(List.of(3, 6, 7), patched(put(7 * 16_384 - 1, 2)));
    assertIsModel();
    assertUsed(MAIN + 3 * PATCH);
  }

  @Test
  void anOverwriteOfAPatchTakesItsPlaceAndTheCommitFreesTheOldOne() throws IOException {
    begin();
    VersionRecord two = put(50_000, 3000);
    commit();
    VersionRecord three = put(49_500, 1000);
    assertEquals(List.of(3), patched(three));
    assertNotEquals(two.patches(), three.patches());
    assertUsed(MAIN + 2 * PATCH);
    assertIsModel();
    commit();
    assertUsed(MAIN + PATCH);
    assertIsModel();
  }

  @Test
  void aDiscardedVersionTakesItsOwnPatchesAlongAndNoOthers() throws IOException {
    begin();
    put(50_000, 3000);
    commit();
    byte[] before = model.clone();
    put(50_000, 20_000);
    put(0, 10);
    assertUsed(MAIN + 4 * PATCH);
    engine.discard(chunk(0), version(4));
    assertUsed(MAIN + 3 * PATCH);
    engine.discard(chunk(0), version(3));
    assertUsed(MAIN + PATCH);
    model = before;
    newest = 2;
    assertIsModel();
  }

  @Test
  void tooManyPatchesAreFoldedIntoANewBlock() throws IOException {
    begin();
    for (int granule = 0; granule < 8; granule++) {
      assertEquals(granule + 1, put(granule * 16_384 + 7, 9).patches().count());
      commit();
    }
    assertUsed(MAIN + 8 * PATCH);
    VersionRecord folded = put(8 * 16_384, 10);
    assertTrue(folded.patches().isEmpty());
    assertUsed(2 * MAIN + 8 * PATCH);
    assertIsModel();
    commit();
    assertUsed(MAIN);
    assertIsModel();
  }

  @Test
  void aShortChunkAndALongOverwriteHaveNoPatches() throws IOException {
    begin();
    assertTrue(put(10_000, 65_537).patches().isEmpty());
    assertEquals(5, put(10_000, 65_536).patches().count());
    commit();
    stage(engine, write(1, 1, 0, bytes(1, 65_536)));
    stage(engine, write(1, 2, 100, bytes(2, 10)));
    assertTrue(engine.chunk(chunk(1)).pending().getLast().patches().isEmpty());
    assertIsModel();
  }

  @Test
  void anAppendToAPatchedChunkStaysInItsBlocks() throws IOException {
    begin();
    VersionRecord first = put(50_000, 10);
    commit();
    // Past the last page: into the same block.
    VersionRecord page = put(200_704, 5000);
    assertEquals(first.block(), page.block());
    assertEquals(List.of(3), patched(page));
    assertUsed(MAIN + PATCH);
    // Within the last page: it becomes a patch.
    VersionRecord within = put(205_704, 100);
    assertEquals(List.of(3, 12), patched(within));
    assertIsModel();
    commit();
    // And goes on in that, and in the block where the granule ends.
    VersionRecord on = put(208_896, 12_000);
    assertEquals(within.patches(), on.patches());
    assertUsed(MAIN + 2 * PATCH);
    assertIsModel();
    assertArrayEquals(Arrays.copyOf(model, 205_804), read(engine, 0, newest - 1, 0, 300_000));
    commit();
    VersionRecord zeros = truncate(230_000);
    assertEquals(on.block(), zeros.block());
    assertIsModel();
    assertTrue(put(230_000, 40_000).patches().isEmpty(), "more than the block holds");
    assertIsModel();
    commit();
    assertUsed(512 << 10);
  }

  @Test
  void aLongAppendGoesOnInAPatchToo() throws IOException {
    begin();
    put(196_700, 10); // the last granule, of which there are 3392 bytes
    VersionRecord long1 = put(200_704, 60_000);
    assertEquals(List.of(12), patched(long1));
    assertEquals(record(1).block(), long1.block());
    assertIsModel();
    stage(engine, write(5, 1, 0, bytes(5, 600_000)));
    stage(engine, write(5, 2, 599_000, bytes(6, 10)));
    stage(engine, write(5, 3, 602_112, bytes(7, 300_000)));
    byte[] expected = Arrays.copyOf(bytes(5, 600_000), 902_112);
    System.arraycopy(bytes(6, 10), 0, expected, 599_000, 10);
    System.arraycopy(bytes(7, 300_000), 0, expected, 602_112, 300_000);
    assertArrayEquals(expected, read(engine, 5, 3, 0, 1 << 20));
    assertEquals(1, engine.chunk(chunk(5)).pending().getLast().patches().count());
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(5)).join());
  }

  @Test
  void aTruncateBeforeWithinOrAfterAPatchKeepsWhatIsLeft() throws IOException {
    begin();
    put(100_000, 10);
    truncate(190_001);
    assertIsModel();
    put(100_000, 3000);
    truncate(101_000);
    assertIsModel();
    put(90_000, 300);
    truncate(80_000);
    assertIsModel();
    truncate(80_000);
    assertIsModel();
    commit();
    assertUsed(128 << 10);
  }

  @Test
  void anUpdateThatChangesNothingSharesThePatches() throws IOException {
    begin();
    VersionRecord two = put(100_000, 10);
    assertEquals(two.patches(), truncate(LENGTH).patches());
    assertUsed(MAIN + PATCH);
    assertIsModel();
    commit();
    assertUsed(MAIN + PATCH);
  }

  @Test
  void aReplacedOrRemovedOrForgottenChunkLeavesNoPatch() throws IOException {
    begin();
    put(100_000, 10);
    put(5, 10);
    stage(engine, copy(0, 9, bytes(3, 5000)));
    assertUsed(8192);
    assertArrayEquals(bytes(3, 5000), read(engine, 0, 9, 0, 9000));
    stage(engine, write(1, 1, 0, bytes(1, LENGTH)));
    stage(engine, write(1, 2, 3, bytes(1, 20)));
    stage(engine, plain(1, 3, new Update.Remove()));
    assertUsed(8192 + MAIN + PATCH);
    engine.commit(chunk(1), version(3), 1);
    assertUsed(8192);
    stage(engine, write(2, 1, 0, bytes(1, LENGTH)));
    stage(engine, write(2, 2, 3, bytes(1, 20)));
    engine.forget(chunk(2)).join();
    assertUsed(8192);
    while (!engine.chain(CHAIN).drop(10).join()) {
      // until nothing is left
    }
    assertUsed(0);
  }

  @Test
  void anOverwriteCostsNoFlushOfAFileAndSurvivesALossOfPower() throws IOException {
    reopen(EngineFixture.QUIET);
    begin();
    put(0, 100_000);
    long before = disk.flushes();
    put(10_000, 40_000);
    put(199_000, 1500);
    assertEquals(before, disk.flushes());
    assertEquals(5, ChunkIndex.open(store).smallBytes(100).size());
    disk.powerOff();
    store.powerOff(new Random(1));
    closeWithoutPower();
    disk.powerOn();
    store.powerOn();
    open();
    assertEquals(0, ChunkIndex.open(store).smallBytes(100).size());
    assertIsModel();
  }

  private void closeWithoutPower() {
    try {
      engine.close(); // ends its threads
    } catch (IOException e) {
      assertEquals("power is off", e.getMessage());
    }
  }

  @Test
  void replicasAgreeWhetherTheyPatchOrNot() throws IOException {
    try (ChunkEngine whole =
        ChunkEngine.open(
            "w",
            EngineFixture.parts(
                EngineFixture.CONFIG.withPatches(65_536, 0),
                new MemoryDisk(2),
                new MemoryKeyValues(),
                ReplicaSource.NONE,
                EngineThreads.platform()))) {
      var random = new Random(4);
      for (int v = 1; v <= 40; v++) {
        byte[] data = bytes(v, v == 1 ? LENGTH : 1 + random.nextInt(20_000));
        int offset = v == 1 ? 0 : random.nextInt(LENGTH);
        Staged one = stage(whole, write(0, v, offset, data));
        Staged other = stage(engine, write(0, v, offset, data));
        assertEquals(one.checksum(), other.checksum());
        assertEquals(one.chunkBytes(), other.chunkBytes());
        engine.commit(chunk(0), version(v), 1);
        whole.commit(chunk(0), version(v), 1);
        assertEquals(
            whole.chain(CHAIN).inventory(Optional.empty(), 1),
            engine.chain(CHAIN).inventory(Optional.empty(), 1));
        assertTrue(whole.chunk(chunk(0)).newest().orElseThrow().patches().isEmpty());
        int v1 = v;
        assertArrayEquals(
            read(whole, 0, v1, 0, EngineFixture.CHUNK_BYTES),
            read(engine, 0, v1, 0, EngineFixture.CHUNK_BYTES));
      }
    }
  }

  @Test
  void aReaderKeepsThePatchesThatItReads() throws IOException {
    begin();
    put(50_000, 100);
    commit();
    byte[] held = model.clone();
    try (HeldVersion reader = engine.hold(chunk(0), version(2))) {
      put(50_000, 100);
      commit();
      assertUsed(MAIN + 2 * PATCH);
      for (int i = 0; i < 20; i++) {
        stage(engine, write(9, i + 1, 0, bytes(i, 16_000)));
        engine.commit(chunk(9), version(i + 1), 1);
      }
      MemorySegment into = MemorySegment.ofArray(new byte[LENGTH]);
      engine.readWhole(reader, into);
      assertArrayEquals(held, into.toArray(ValueLayout.JAVA_BYTE));
    }
    assertUsed(MAIN + PATCH + 16_384);
    assertIsModel();
  }

  @Test
  void compactionMovesPatches() throws IOException {
    int chunks = 64;
    for (int i = 0; i < chunks; i++) {
      stage(engine, write(i, 1, 0, bytes(i, LENGTH)));
      for (int v = 2; v <= 9; v++) {
        stage(engine, write(i, v, v * 16_384, bytes(v, 100)));
        if (i % 4 != 1 || v < 5) {
          engine.commit(chunk(i), version(v), 1); // others keep versions that are pending
        }
      }
    }
    long allocated = engine.usage().allocatedBytes();
    for (int i = 0; i < chunks; i += 2) {
      engine.forget(chunk(i)).join();
    }
    assertUsed(chunks / 2 * (MAIN + 8 * PATCH));
    assertEquals(256 * PATCH, engine.compact().join());
    assertEquals(allocated - 256 * PATCH, engine.usage().allocatedBytes());
    for (int i = 1; i < chunks; i += 2) {
      byte[] expected = bytes(i, LENGTH);
      for (int v = 2; v <= 9; v++) {
        System.arraycopy(bytes(v, 100), 0, expected, v * 16_384, 100);
        if (v == 9 || (i % 4 == 1 && v >= 4)) {
          assertArrayEquals(expected, read(engine, i, v, 0, LENGTH));
        }
      }
      assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(i)).join());
    }
  }

  @Test
  void withoutRoomForTheWholeThereMayBeSomeForPatches() throws IOException {
    begin();
    for (int granule = 0; granule < 8; granule++) {
      put(granule * 16_384 + 7, 9);
      commit();
    }
    disk.setFull(true);
    int more = 20;
    while (isStaged(more)) { // in blocks as large as that of the chunk
      more++;
    }
    VersionRecord nine = put(8 * 16_384, 10);
    assertEquals(9, nine.patches().count());
    assertIsModel();
    disk.setFull(false);
    commit();
    assertTrue(put(9 * 16_384, 10).patches().isEmpty());
    assertIsModel();
  }

  @Test
  void withoutRoomForAPatchTheChunkIsWrittenAsAWhole() throws IOException {
    begin();
    disk.setFull(true);
    VersionRecord two = put(50_000, 10);
    assertTrue(two.patches().isEmpty());
    assertIsModel();
    disk.setFull(false);
  }

  private boolean isStaged(int number) {
    try {
      stage(engine, write(number, 1, 0, bytes(number, LENGTH)));
      return true;
    } catch (CompletionException e) {
      assertTrue(
          e.getCause() instanceof LuciolaException fault && fault.code() == ErrorCode.NO_SPACE);
      return false;
    }
  }
}
