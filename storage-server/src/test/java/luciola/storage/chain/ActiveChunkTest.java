package luciola.storage.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;

/** What a new life finds of a chunk. Simulation seed 6168. */
class ActiveChunkTest {
  private static ActiveChunk found(long committed, long... pending) {
    List<ChunkView.PendingVersion> versions =
        Arrays.stream(pending)
            .mapToObj(version ->
                new ChunkView.PendingVersion(
                    new ChunkVersion(version), Optional.empty(), false, 64, 7))
            .toList();
    return new ActiveChunk(
        new ChunkId(new InodeId(1), 0),
        new ChunkView.ChunkState(new ChunkVersion(committed), 1, false, 64, 7, versions),
        0);
  }

  @Test
  void whatAWholeChunkJumpedOverIsKnownToBeCommitted() {
    assertEquals(new ChunkVersion(5), found(4, 6, 7).told);
    assertEquals(new ChunkVersion(7), found(4, 5, 8, 9).told);
  }

  @Test
  void withoutAGapNothingIsKnown() {
    assertEquals(ChunkVersion.NONE, found(4, 5, 6).told);
  }
}
