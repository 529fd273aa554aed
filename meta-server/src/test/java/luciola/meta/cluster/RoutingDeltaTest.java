package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import luciola.grpc.v1.Operation;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import org.junit.jupiter.api.Test;

/** Whoever knows some version of the routing gets what has changed since, no less and no more. */
class RoutingDeltaTest {
  @Test
  void fromEveryFormerVersionExactlyTheChangedChainsCome() {
    var cluster = new LivingCluster(5);
    cluster.table(3, 5);
    var history = new ArrayList<Routing>();
    history.add(cluster.state.routing());
    for (int node = 1; node <= 5; node++) {
      cluster.silent.add(node);
      cluster.pass(12);
      history.add(cluster.state.routing());
      cluster.silent.clear();
      cluster.pass(3);
      history.add(cluster.state.routing());
    }
    Routing now = cluster.state.routing();
    int deltas = 0;
    for (Routing former : history) {
      RoutingDelta delta =
          RoutingMessages.fromMessage(cluster.state.updateSince(former.version().value()));
      assertFalse(delta.full());
      assertEquals(changed(former, now), ids(delta.chains()));
      Routing reached = former.apply(delta);
      assertEquals(now.version(), reached.version());
      assertEquals(now.chains(), reached.chains());
      assertEquals(now.nodes(), reached.nodes());
      assertEquals(now.tables(), reached.tables());
      deltas += delta.chains().size() < now.chains().size() ? 1 : 0;
    }
    assertTrue(deltas > 1, "some deltas leave something out");
    assertEquals(Set.of(), ids(cluster.state.deltaSince(now.version()).chains()));
  }

  private static Set<ChainId> changed(Routing former, Routing now) {
    return now.chains().values().stream()
        .filter(chain -> !chain.equals(former.chains().get(chain.id())))
        .map(Chain::id)
        .collect(Collectors.toSet());
  }

  private static Set<ChainId> ids(List<Chain> chains) {
    return chains.stream().map(Chain::id).collect(Collectors.toSet());
  }

  @Test
  void aGapIsRefusedAndAFullUpdateFillsIt() {
    var cluster = new LivingCluster(3);
    cluster.table(3, 2);
    Routing old = cluster.state.routing();
    cluster.silent.add(1);
    cluster.pass(12);
    RoutingVersion between = cluster.state.routing().version();
    cluster.silent.clear();
    cluster.pass(3);
    RoutingDelta later = cluster.state.deltaSince(between);
    assertThrows(IllegalArgumentException.class, () -> old.apply(later));
    RoutingDelta all = cluster.state.deltaSince(new RoutingVersion(0));
    assertTrue(all.full());
    assertEquals(cluster.state.routing().chains(), old.apply(all).chains());
    // Of another history: a version that was never given.
    assertTrue(cluster.state.deltaSince(new RoutingVersion(1_000_000)).full());
  }

  @Test
  void whatWasRemovedMakesOlderVersionsGetEverything() {
    var cluster = new LivingCluster(4);
    cluster.table(2, 1);
    long before = cluster.state.routing().version().value();
    int spare =
        IntStream.rangeClosed(1, 4)
            .filter(node -> cluster.state.chainsOf(new TargetId(node)).isEmpty())
            .findFirst()
            .orElseThrow();
    cluster.silent.add(spare);
    cluster.pass(12);
    assertEquals("", cluster.operate(Operation.newBuilder().addRemoveNodes(spare)));
    RoutingDelta delta = cluster.state.deltaSince(new RoutingVersion(before));
    assertTrue(delta.full());
    assertEquals(3, delta.nodes().size());
  }
}
