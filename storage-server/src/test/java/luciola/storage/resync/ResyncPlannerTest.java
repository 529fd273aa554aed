package luciola.storage.resync;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.resync.ResyncPlanner.Decision;
import org.junit.jupiter.api.Test;

final class ResyncPlannerTest {
  private static ChunkId chunk(int index) {
    return new ChunkId(new InodeId(3), index);
  }

  private static ChunkSummary held(
      int index, long committed, long newest, int chainVersion, int checksum) {
    return new ChunkSummary(
        chunk(index),
        new ChunkVersion(committed),
        new ChunkVersion(newest),
        chainVersion,
        false,
        64,
        checksum);
  }

  private static Decision copy(int index, long version, boolean alert) {
    return new Decision.Copy(chunk(index), new ChunkVersion(version), alert);
  }

  private static List<Decision> plan(ChunkSummary source, ChunkSummary replica) {
    return ResyncPlanner.plan(List.of(source), List.of(replica));
  }

  @Test
  void copiesWhatTheReplicaLacksAndRemovesWhatTheSourceLacks() {
    assertEquals(
        List.of(
            new Decision.Remove(chunk(0)),
            copy(1, 5, false),
            new Decision.Remove(chunk(2)),
            new Decision.Remove(chunk(4))),
        ResyncPlanner.plan(
            List.of(held(1, 5, 5, 1, 11), held(3, 2, 2, 1, 12)),
            List.of(
                held(0, 1, 1, 1, 1),
                held(2, 1, 1, 1, 1),
                held(3, 2, 2, 1, 12),
                held(4, 1, 1, 1, 1))));
  }

  @Test
  void copiesTombstonesTooSoThatVersionsStayMonotonic() {
    var tombstone =
        new ChunkSummary(chunk(0), new ChunkVersion(9), new ChunkVersion(9), 1, true, 0, 0);
    assertEquals(List.of(copy(0, 9, false)), ResyncPlanner.plan(List.of(tombstone), List.of()));
  }

  @Test
  void copiesAnotherVersion() {
    assertEquals(List.of(copy(0, 5, false)), plan(held(0, 5, 5, 2, 11), held(0, 4, 4, 1, 10)));
  }

  @Test
  void keepsEqualBytesOfAnEqualVersionWhateverTheChainVersion() {
    assertEquals(List.of(), plan(held(0, 5, 5, 7, 11), held(0, 5, 5, 2, 11)));
  }

  @Test
  void copiesOtherBytesOfAnEqualVersionAndAlertsIfTheChainVersionIsTheSame() {
    assertEquals(List.of(copy(0, 5, true)), plan(held(0, 5, 5, 2, 11), held(0, 5, 5, 2, 12)));
    assertEquals(List.of(copy(0, 5, false)), plan(held(0, 5, 5, 3, 11), held(0, 5, 5, 2, 12)));
  }

  @Test
  void alertsWhenTheReplicaIsAheadOfTheSource() {
    assertEquals(List.of(copy(0, 5, true)), plan(held(0, 5, 5, 2, 11), held(0, 6, 6, 2, 12)));
  }

  @Test
  void keepsWhatWasForwardedMeanwhile() {
    assertEquals(List.of(), plan(held(0, 5, 6, 2, 11), held(0, 3, 6, 1, 10)));
    assertEquals(List.of(), plan(held(0, 5, 5, 2, 11), held(0, 3, 5, 1, 10)));
  }

  @Test
  void looksAgainAtWhatIsPendingAtTheSource() {
    assertEquals(List.of(copy(0, 5, false)), plan(held(0, 5, 6, 2, 11), held(0, 5, 5, 2, 11)));
    assertEquals(
        List.of(copy(0, 0, false)), ResyncPlanner.plan(List.of(held(0, 0, 1, 0, 0)), List.of()));
  }
}
