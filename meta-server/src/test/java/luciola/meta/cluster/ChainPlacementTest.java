package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

class ChainPlacementTest {
  @Test
  void threeTargetsWithThreeReplicasGiveEveryOrderOnce() {
    List<List<TargetId>> chains = ChainPlacement.place(places(3, 1), 3, 0);
    assertEquals(6, chains.size());
    assertEquals(6, new HashSet<>(chains).size());
  }

  @Test
  void everyTargetLeadsAndCarriesEquallyManyChains() {
    for (int nodes = 1; nodes <= 9; nodes++) {
      for (int perNode = 1; perNode <= 2; perNode++) {
        for (int replicas = 1; replicas <= Math.min(3, nodes); replicas++) {
          List<ChainPlacement.Place> places = places(nodes, perNode);
          List<List<TargetId>> chains = ChainPlacement.place(places, replicas, 0);
          String what = nodes + " nodes x " + perNode + ", " + replicas + " replicas";
          spreadAtMost(
              0,
              chains.stream().map(List::getFirst).collect(Collectors.toList()),
              places.size(),
              what);
          spreadAtMost(
              0,
              chains.stream().flatMap(List::stream).collect(Collectors.toList()),
              places.size(),
              what);
          Map<TargetId, NodeId> nodeOf =
              places.stream()
                  .collect(
                      Collectors.toMap(ChainPlacement.Place::target, ChainPlacement.Place::node));
          for (List<TargetId> chain : chains) {
            assertEquals(replicas, chain.stream().map(nodeOf::get).distinct().count(), what);
          }
        }
      }
    }
  }

  @Test
  void tooFewNodesAreNamed() {
    LuciolaException refused =
        assertThrows(LuciolaException.class, () -> ChainPlacement.place(places(2, 2), 3, 0));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
    assertTrue(String.valueOf(refused.getMessage()).contains("replicas=3 nodes=2"));
  }

  private static void spreadAtMost(int spread, List<TargetId> members, int targets, String what) {
    var counts = new HashMap<TargetId, Integer>();
    members.forEach(target -> counts.merge(target, 1, Integer::sum));
    assertEquals(targets, counts.size(), what);
    int most = counts.values().stream().max(Integer::compare).orElseThrow();
    int least = counts.values().stream().min(Integer::compare).orElseThrow();
    assertTrue(most - least <= spread, what + " " + counts);
  }

  private static List<ChainPlacement.Place> places(int nodes, int perNode) {
    return IntStream.range(0, nodes * perNode)
        .mapToObj(i -> new ChainPlacement.Place(new TargetId(i + 1), new NodeId(i / perNode + 1)))
        .toList();
  }
}
