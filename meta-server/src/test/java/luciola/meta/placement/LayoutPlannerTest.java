package luciola.meta.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

class LayoutPlannerTest {
  private static final FailureDomain HOST = FailureDomain.FAILURE_DOMAIN_HOST;
  private static final long PLENTY_NANOS = 60_000_000_000L;

  @Test
  void threeTargetsWithThreeReplicasGiveEveryOrderOnce() {
    List<List<TargetId>> chains = LayoutPlanner.quick(places(3, 1), HOST, 3, 0).chains();
    assertEquals(6, chains.size());
    assertEquals(6, new HashSet<>(chains).size());
  }

  @Test
  void everyTargetLeadsAndCarriesEquallyManyChains() {
    for (int nodes = 1; nodes <= 9; nodes++) {
      for (int perNode = 1; perNode <= 2; perNode++) {
        for (int replicas = 1; replicas <= Math.min(3, nodes); replicas++) {
          List<Place> places = places(nodes, perNode);
          List<List<TargetId>> chains = LayoutPlanner.quick(places, HOST, replicas, 0).chains();
          String what = nodes + " nodes x " + perNode + ", " + replicas + " replicas";
          spreadAtMost(0, chains.stream().map(List::getFirst).toList(), places.size(), what);
          spreadAtMost(0, chains.stream().flatMap(List::stream).toList(), places.size(), what);
          apart(places, chains, what);
        }
      }
    }
  }

  @Test
  void findsTheBlockDesignsThatExist() {
    // v targets, b chains, k replicas, and how often two targets meet.
    int[][] designs = {
      {7, 7, 3, 1}, {9, 12, 3, 1}, {13, 26, 3, 1}, {6, 10, 3, 2}, {13, 13, 4, 1}, {10, 30, 3, 2}
    };
    for (int[] design : designs) {
      var found =
          LayoutPlanner.plan(
              places(design[0], 1), HOST, design[2], design[1], PLENTY_NANOS, System::nanoTime);
      String what = design[0] + "," + design[1] + "," + design[2] + " by " + found.method();
      assertEquals(design[3], found.balance().pairsMin(), what);
      assertEquals(design[3], found.balance().pairsMax(), what);
      assertEquals(found.balance().chainsMin(), found.balance().chainsMax(), what);
      assertTrue(found.balance().best(), what);
      apart(places(design[0], 1), found.chains(), what);
    }
  }

  @Test
  void unequalHostsAreUsedAsEvenlyAsTheyAllow() {
    List<Place> places = new ArrayList<>();
    int target = 1;
    for (int node = 1; node <= 5; node++) {
      for (int disk = 0; disk < (node == 1 ? 4 : 2); disk++) {
        places.add(new Place(new TargetId(target++), new NodeId(node), "h" + node, ""));
      }
    }
    var found = LayoutPlanner.plan(places, HOST, 3, 48, 500_000_000L, System::nanoTime);
    assertTrue(found.balance().chainsMax() - found.balance().chainsMin() <= 2);
    apart(places, found.chains(), "unequal");
  }

  @Test
  void leavesAreARuleWhereThereAreEnough() {
    List<Place> places =
        IntStream.range(0, 12)
            .mapToObj(
                i -> new Place(new TargetId(i + 1), new NodeId(i + 1), "h" + i, "leaf" + i % 3))
            .toList();
    for (List<TargetId> chain : LayoutPlanner.quick(places, HOST, 3, 0).chains()) {
      assertEquals(3, chain.stream().map(member -> (member.value() - 1) % 3).distinct().count());
    }
    // Four replicas over three leaves: hosts count.
    assertEquals(4, LayoutPlanner.quick(places, HOST, 4, 0).balance().replicas());
    LuciolaException refused =
        assertThrows(
            LuciolaException.class,
            () -> LayoutPlanner.quick(places, FailureDomain.FAILURE_DOMAIN_LEAF, 4, 0));
    assertTrue(refused.detail().contains("leafs=3"), refused::detail);
  }

  @Test
  void oneHostTakesNoTwoReplicasUnlessTargetsAreSaidToBeEnough() {
    List<Place> places =
        IntStream.range(0, 4)
            .mapToObj(i -> new Place(new TargetId(i + 1), new NodeId(i + 1), "one", ""))
            .toList();
    LuciolaException refused =
        assertThrows(LuciolaException.class, () -> LayoutPlanner.quick(places, HOST, 2, 0));
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
    assertTrue(refused.detail().contains("replicas=2 hosts=1 targets=4"));
    assertEquals(
        3,
        LayoutPlanner.quick(places, FailureDomain.FAILURE_DOMAIN_TARGET, 3, 0)
            .chains()
            .getFirst()
            .size());
  }

  @Test
  void aLargeClusterIsLaidWithoutSearching() {
    var found = LayoutPlanner.quick(places(180, 16), HOST, 3, 0);
    assertEquals(180 * 16 * 8, found.chains().size());
    assertEquals(24, found.balance().chainsMin());
    assertEquals(24, found.balance().chainsMax());
    assertTrue(found.balance().pairsMax() <= 2, found.balance()::toString);
  }

  @Test
  void newChainsGoWhereThereAreFewestBesideThoseThatExist() {
    List<Place> places = places(6, 1);
    // Targets 5 and 6 are new: the others have two chains each already.
    List<List<TargetId>> existing =
        List.of(targets(1, 2), targets(3, 4), targets(1, 3), targets(2, 4), targets(7, 8));
    List<TargetId> one =
        LayoutPlanner.beside(places, existing, HOST, 2, 1, 0, () -> 0).chains().getFirst();
    assertEquals(targets(5, 6), one.stream().sorted().toList());
    var many = LayoutPlanner.beside(places, existing, HOST, 2, 11, PLENTY_NANOS, System::nanoTime);
    assertEquals(11, many.chains().size());
    apart(places, many.chains(), "beside");
    assertEquals(5, many.balance().chainsMin(), many.balance()::toString);
    assertEquals(5, many.balance().chainsMax(), many.balance()::toString);
    assertTrue(
        many.balance().pairsMax() - many.balance().pairsMin() <= 1, many.balance()::toString);
    assertThrows(
        LuciolaException.class,
        () -> LayoutPlanner.beside(places, existing, HOST, 2, 0, 0, () -> 0));
    assertThrows(
        LuciolaException.class,
        () -> LayoutPlanner.beside(places, existing, HOST, 7, 1, 0, () -> 0));
  }

  private static List<TargetId> targets(int... numbers) {
    return IntStream.of(numbers).mapToObj(TargetId::new).toList();
  }

  @Test
  void numbersOutOfBoundsAreRefused() {
    for (int[] bad : new int[][] {{0, 0}, {-1, 0}, {3, -1}, {3, 2_000_000}, {4, 0}}) {
      LuciolaException refused =
          assertThrows(
              LuciolaException.class,
              () -> LayoutPlanner.quick(places(3, 1), HOST, bad[0], bad[1]));
      assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
    }
  }

  private static void apart(List<Place> places, List<List<TargetId>> chains, String what) {
    Map<TargetId, String> hosts =
        places.stream().collect(Collectors.toMap(Place::target, Place::host));
    for (List<TargetId> chain : chains) {
      assertEquals(chain.size(), chain.stream().map(hosts::get).distinct().count(), what);
    }
  }

  private static void spreadAtMost(int spread, List<TargetId> members, int targets, String what) {
    var counts = new HashMap<TargetId, Integer>();
    members.forEach(target -> counts.merge(target, 1, Integer::sum));
    assertEquals(targets, counts.size(), what);
    int most = counts.values().stream().max(Integer::compare).orElseThrow();
    int least = counts.values().stream().min(Integer::compare).orElseThrow();
    assertTrue(most - least <= spread, what + " " + counts);
  }

  private static List<Place> places(int nodes, int perNode) {
    return IntStream.range(0, nodes * perNode)
        .mapToObj(
            i -> new Place(new TargetId(i + 1), new NodeId(i / perNode + 1), "h" + i / perNode, ""))
        .toList();
  }
}
