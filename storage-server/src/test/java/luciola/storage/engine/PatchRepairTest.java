package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.version;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.Test;

/** Patches, and what they cover, that went bad on the disk. */
class PatchRepairTest extends OverwrittenChunk {
  @Test
  void aFlippedBitInAPatchIsFoundAndRepaired() throws IOException {
    begin();
    VersionRecord two = put(50_000, 100);
    commit();
    BlockRef patch = two.patches().block(0);
    disk.flip(patch.blockClass(), patch.position() + 12);
    LuciolaException found =
        assertThrows(LuciolaException.class, () -> read(engine, 0, 2, 50_000, 10));
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, found.code());
    assertEquals(ChunkEngine.Health.BAD, engine.check(chunk(0)).join());
    assertArrayEquals(Arrays.copyOf(model, 49_152), read(engine, 0, 2, 0, 49_152));
    replicas = EngineFixture.replicaWith(2, model);
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertIsModel();
    assertTrue(record(2).patches().isEmpty());
    assertUsed(MAIN);
  }

  @Test
  void whatAPatchCoversMayRot() throws IOException {
    begin();
    put(50_000, 100);
    commit();
    BlockRef main = record(2).blockIfAny().orElseThrow();
    disk.breakPages(main.blockClass(), main.position() + 49_152, 16_384);
    assertIsModel();
  }

  @Test
  void aBadGranuleIsRepairedInEveryVersionThatHasIt() throws IOException {
    begin();
    byte[] first = model.clone();
    put(100_000, 10);
    byte[] second = model.clone();
    put(200_704, 9000);
    BlockRef main = record(1).blockIfAny().orElseThrow();
    disk.flip(main.blockClass(), main.position() + 60_000); // in all three
    disk.flip(main.blockClass(), main.position() + 199_999); // in the granule that goes on
    assertEquals(ChunkEngine.Health.BAD, engine.check(chunk(0)).join());
    // The others have the committed version only.
    replicas = EngineFixture.replicaWith(1, first);
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertIsModel();
    assertArrayEquals(first, read(engine, 0, 1, 0, LENGTH));
    assertArrayEquals(second, read(engine, 0, 2, 0, LENGTH));
    put(7, 50);
    assertIsModel();
    commit();
    assertIsModel();
  }

  @Test
  void aBadPendingVersionComesFromAReplicaThatHasIt() throws IOException {
    begin();
    VersionRecord two = put(100_000, 10);
    byte[] second = model.clone();
    BlockRef patch = two.patches().block(0);
    disk.breakPages(patch.blockClass(), patch.position(), 4096);
    replicas = EngineFixture.replicaWith(2, second);
    put(100_001, 10); // needs what is bad
    assertIsModel();
    assertEquals(3, engine.chunk(chunk(0)).versions().count());
  }

  @Test
  void whatNoReplicaHasAsAWholeIsPutTogether() throws IOException {
    begin();
    BlockRef main = record(1).blockIfAny().orElseThrow();
    disk.flip(main.blockClass(), main.position() + 10);
    disk.flip(main.blockClass(), main.position() + 40_000);
    ReplicaSource.Replica away =
        (_, _, _, _) -> {
          throw new IOException("away");
        };
    replicas =
        _ ->
            List.of(
                away,
                (_, version, offset, into) -> offset == 0 && give(version, 1, offset, into),
                (_, version, offset, into) -> offset != 0 && give(version, 1, offset, into));
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertIsModel();
  }

  /** The others went on without it, or stopped before it: their chunk is another version. */
  @Test
  void aGranuleThatOthersHaveInAnotherVersionIsTakenFromThere() throws IOException {
    begin();
    byte[] first = model.clone();
    put(100_000, 10);
    commit();
    BlockRef main = record(2).blockIfAny().orElseThrow();
    disk.flip(main.blockClass(), main.position() + 40_000);
    replicas = EngineFixture.replicaWith(1, first);
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertIsModel();
    // What only this version has is lost, and nothing is made up for it.
    put(100_000, 10);
    commit();
    VersionRecord three = record(3);
    BlockRef patch = three.patches().block(0);
    disk.flip(patch.blockClass(), patch.position() + 100_000 % 16_384);
    assertEquals(ChunkEngine.Health.BAD, engine.check(chunk(0)).join());
    replicas = EngineFixture.replicaWith(3, model);
    assertEquals(ChunkEngine.Health.REPAIRED, engine.check(chunk(0)).join());
    assertIsModel();
  }

  private boolean give(ChunkVersion asked, long held, int offset, MemorySegment into) {
    if (asked.value() != held) {
      return false;
    }
    into.copyFrom(MemorySegment.ofArray(model).asSlice(offset, into.byteSize()));
    return true;
  }
}
