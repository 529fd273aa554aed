package luciola.meta.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

class MovePlannerTest {
  private static final FailureDomain HOST = FailureDomain.FAILURE_DOMAIN_HOST;

  private static List<Place> places(int nodes) {
    return IntStream.range(0, 2 * nodes)
        .mapToObj(i -> new Place(new TargetId(i + 1), new NodeId(i / 2 + 1), "h" + i / 2, ""))
        .toList();
  }

  private static List<MovePlanner.Existing> laid(int nodes) {
    var existing = new ArrayList<MovePlanner.Existing>();
    for (List<TargetId> chain : LayoutPlanner.quick(places(nodes), HOST, 3, 0).chains()) {
      existing.add(new MovePlanner.Existing(new ChainId(existing.size() + 1), chain, HOST));
    }
    return existing;
  }

  private static Set<TargetId> targets(List<Place> places) {
    return places.stream().map(Place::target).collect(Collectors.toSet());
  }

  private static List<List<TargetId>> after(
      List<MovePlanner.Existing> existing, List<MovePlanner.Move> moves) {
    Map<ChainId, List<TargetId>> chains = new HashMap<>();
    existing.forEach(chain -> chains.put(chain.id(), chain.members()));
    moves.forEach(move -> chains.put(move.chain(), move.wanted()));
    return List.copyOf(chains.values());
  }

  @Test
  void aDrainedNodeIsReplacedEvenlyAndNothingElseMoves() {
    List<MovePlanner.Existing> existing = laid(6);
    Set<TargetId> leaving = Set.of(new TargetId(3), new TargetId(4));
    Set<TargetId> eligible = new HashSet<>(targets(places(6)));
    eligible.removeAll(leaving);
    List<MovePlanner.Move> moves = new MovePlanner(places(6), eligible, existing).drain(leaving);
    for (MovePlanner.Move move : moves) {
      List<TargetId> former = existing.get(move.chain().value() - 1).members();
      assertEquals(2, move.wanted().stream().filter(former::contains).count());
    }
    assertEquals(
        existing.stream()
            .filter(chain -> chain.members().stream().anyMatch(leaving::contains))
            .count(),
        moves.size());
    List<List<TargetId>> after = after(existing, moves);
    assertTrue(after.stream().noneMatch(chain -> chain.stream().anyMatch(leaving::contains)));
    List<Place> left = places(6).stream().filter(p -> !leaving.contains(p.target())).toList();
    Balance balance = Balance.of(left, HOST, after);
    assertTrue(balance.chainsMax() - balance.chainsMin() <= 2, balance::toString);
    hostsDiffer(left, after);
  }

  @Test
  void aDrainThatLeavesTooFewReplicasNamesTheChain() {
    List<MovePlanner.Existing> existing = laid(3);
    var planner = new MovePlanner(places(3), targets(places(3)), existing);
    LuciolaException refused =
        assertThrows(
            LuciolaException.class, () -> planner.drain(Set.of(new TargetId(1), new TargetId(2))));
    assertTrue(refused.detail().startsWith("too few replicas would be left"), refused::detail);
    assertTrue(refused.detail().contains("chain=1 "), refused::detail);
  }

  @Test
  void aNewNodeGetsItsShareWithAsFewMovesAsThatTakes() {
    List<MovePlanner.Existing> existing = laid(5);
    List<MovePlanner.Move> moves =
        new MovePlanner(places(6), targets(places(6)), existing).rebalance(0);
    List<List<TargetId>> after = after(existing, moves);
    Balance balance = Balance.of(places(6), HOST, after);
    assertTrue(balance.chainsMax() - balance.chainsMin() <= 1, balance::toString);
    int moved = 0;
    for (MovePlanner.Move move : moves) {
      List<TargetId> former = existing.get(move.chain().value() - 1).members();
      moved += (int) move.wanted().stream().filter(target -> !former.contains(target)).count();
    }
    // What the two new targets hold afterwards, and not one more.
    long held = after.stream().flatMap(List::stream).filter(target -> target.value() > 10).count();
    assertEquals(held, moved);
    assertEquals(3, new MovePlanner(places(6), targets(places(6)), existing).rebalance(3).size());
    hostsDiffer(places(6), after);
  }

  @Test
  void oneTargetTakesThePlaceOfAnotherUnlessTheHostIsThere() {
    List<MovePlanner.Existing> existing = laid(4);
    List<Place> all = places(5);
    List<MovePlanner.Move> moves =
        new MovePlanner(all, targets(all), existing).replace(new TargetId(1), new TargetId(9));
    assertFalse(moves.isEmpty());
    assertTrue(moves.stream().allMatch(move -> move.wanted().contains(new TargetId(9))));
    LuciolaException refused =
        assertThrows(
            LuciolaException.class,
            () ->
                new MovePlanner(all, targets(all), existing)
                    .replace(new TargetId(1), new TargetId(3)));
    assertTrue(refused.detail().contains("share a failure domain"));
  }

  private static void hostsDiffer(List<Place> places, List<List<TargetId>> chains) {
    Map<TargetId, String> hosts =
        places.stream().collect(Collectors.toMap(Place::target, Place::host));
    for (List<TargetId> chain : chains) {
      assertEquals(3, chain.stream().map(hosts::get).distinct().count(), chain::toString);
    }
  }
}
