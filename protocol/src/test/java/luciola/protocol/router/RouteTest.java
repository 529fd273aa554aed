package luciola.protocol.router;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import luciola.protocol.error.CallerAction;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.router.Step.GiveUp;
import luciola.protocol.router.Step.RefreshRouting;
import luciola.protocol.router.Step.Send;
import luciola.protocol.router.Step.WaitUntil;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.protocol.routing.StorageNode;
import org.junit.jupiter.api.Test;

final class RouteTest {
  private static final ChainId CHAIN = new ChainId(1);
  private static final RouterLimits LIMITS = new RouterLimits(1_000, 100, 10, 80, 50, 2);

  private final SplittableRandom random = new SplittableRandom(5);
  private final ChunkRouter router =
      new ChunkRouter(LIMITS, Optional.of("a"), () -> random.nextLong());

  @Test
  void sendsUpdatesToTheHeadWithTheNewestChainVersion() {
    Routing first = routing(1, 1, 3);
    Route route = router.toHead(CHAIN, 0);
    Send send = send(route.next(first, 0));
    assertEquals(new TargetId(1), send.target());
    assertEquals(new ChainVersion(1), send.chainVersion());
    assertEquals(100, send.untilNanos());
    RefreshRouting refresh =
        assertInstanceOf(
            RefreshRouting.class, route.failed(ErrorCode.STALE_CHAIN_VERSION, first, 5));
    assertEquals(new RoutingVersion(1), refresh.newerThan());
    assertTrue(refresh.untilNanos() > 5 && refresh.untilNanos() <= 15);
    Send again = send(route.next(withoutHead(2, 2), 6));
    assertEquals(new TargetId(2), again.target());
    assertEquals(new ChainVersion(2), again.chainVersion());
    route.succeeded();
  }

  @Test
  void waitsLongerAfterEachFailureAndGivesUpAtTheDeadline() {
    Routing routing = routing(1, 1, 3);
    Route route = router.toHead(CHAIN, 0);
    long now = 0;
    Step step = route.next(routing, now);
    int attempts = 0;
    long longest = 0;
    while (!(step instanceof GiveUp)) {
      attempts++;
      assertTrue(attempts < 100);
      RefreshRouting wait =
          assertInstanceOf(
              RefreshRouting.class, route.failed(ErrorCode.CONNECTION_LOST, routing, now));
      longest = Math.max(longest, wait.untilNanos() - now);
      now = wait.untilNanos();
      step = route.next(routing, now);
    }
    assertTrue(longest >= 40 && longest <= 80);
    assertEquals(1_000, now);
    assertEquals(ErrorCode.CONNECTION_LOST, ((GiveUp) step).code());
  }

  @Test
  void waitsForAHeadWhileNoneServes() {
    Chain stopped = chain(3, PublicState.LAST_SERVING, PublicState.OFFLINE, PublicState.OFFLINE);
    Route route = router.toHead(CHAIN, 0);
    assertInstanceOf(RefreshRouting.class, route.next(of(3, stopped, 3), 0));
    assertInstanceOf(RefreshRouting.class, route.next(Routing.EMPTY, 10));
    send(route.next(routing(4, 4, 3), 20));
  }

  @Test
  void givesUpAtOnceOnWhatNoRetryMends() {
    for (ErrorCode code : ErrorCode.values()) {
      if (code.action() == CallerAction.GIVE_UP) {
        Route route = router.toReplica(CHAIN, 1, 0);
        route.next(routing(1, 1, 3), 0);
        GiveUp end = assertInstanceOf(GiveUp.class, route.failed(code, routing(1, 1, 3), 1));
        assertEquals(code, end.code());
      }
    }
  }

  @Test
  void retriesEverythingElseUntilTheDeadline() {
    for (ErrorCode code : ErrorCode.values()) {
      if (EnumSet.of(CallerAction.RETRY, CallerAction.REFRESH_ROUTING, CallerAction.OTHER_REPLICA)
          .contains(code.action())) {
        Route route = router.toHead(CHAIN, 0);
        route.next(routing(1, 1, 3), 0);
        Step step = route.failed(code, routing(1, 1, 3), 1);
        assertTrue(step instanceof RefreshRouting || step instanceof WaitUntil, code.name());
      }
    }
  }

  @Test
  void triesAnotherReplicaAtOnceThenRefreshes() {
    for (ErrorCode code :
        List.of(ErrorCode.CONNECTION_LOST, ErrorCode.NO_LEASE, ErrorCode.CHECKSUM_MISMATCH)) {
      Routing routing = routing(1, 1, 3);
      Route route = router.toReplica(CHAIN, 1, 0);
      Set<TargetId> targets = new HashSet<>();
      Step step = route.next(routing, 0);
      for (int i = 0; i < 3; i++) {
        targets.add(send(step).target());
        step = route.failed(code, routing, i);
      }
      assertEquals(3, targets.size(), code.name());
      assertInstanceOf(RefreshRouting.class, step);
    }
  }

  @Test
  void believesBadDataWhenEveryReplicaRepeatsIt() {
    Routing routing = routing(1, 1, 2);
    Route route = router.toReplica(CHAIN, 1, 0);
    List<TargetId> targets = new ArrayList<>();
    Step step = route.next(routing, 0);
    long now = 0;
    while (!(step instanceof GiveUp end)) {
      if (step instanceof Send send) {
        targets.add(send.target());
        step = route.failed(ErrorCode.CHECKSUM_MISMATCH, routing, ++now);
      } else {
        step = route.next(routing, ++now);
      }
    }
    assertEquals(4, targets.size());
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, end.code());
  }

  @Test
  void readsOnlyServingReplicas() {
    Chain chain = chain(1, PublicState.SERVING, PublicState.SYNCING, PublicState.OFFLINE);
    for (int i = 0; i < 20; i++) {
      Route route = router.toReplica(CHAIN, 1, 0);
      assertEquals(new TargetId(1), send(route.next(of(1, chain, 3), 0)).target());
    }
  }

  @Test
  void prefersTheOwnZone() {
    for (int i = 0; i < 50; i++) {
      Route route = router.toReplica(CHAIN, 1, 0);
      assertEquals("a", send(route.next(zoned("b", "a", "a"), 0)).node().labels().get("zone"));
    }
    send(router.toReplica(CHAIN, 1, 0).next(zoned("b", "c", "b"), 0));
  }

  @Test
  void leavesTheZoneRatherThanUseAServerThatFailed() {
    Routing routing = zoned("b", "a", "b");
    Route route = router.toReplica(CHAIN, 1, 0);
    assertEquals(new NodeId(2), send(route.next(routing, 0)).node().id());
    assertNotEquals(
        new NodeId(2), send(route.failed(ErrorCode.CONNECTION_LOST, routing, 0)).node().id());
    assertNotEquals(
        new NodeId(2), send(router.toReplica(CHAIN, 1, 49).next(routing, 49)).node().id());
    assertEquals(new NodeId(2), send(router.toReplica(CHAIN, 1, 51).next(routing, 51)).node().id());
  }

  @Test
  void spreadsReadsByOutstandingBytes() {
    Routing routing = routing(1, 1, 3);
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      Route route = router.toReplica(CHAIN, 1_000, 0);
      route.next(routing, 0);
      routes.add(route);
    }
    for (int node = 1; node <= 3; node++) {
      long outstanding = router.outstandingBytes(new NodeId(node));
      assertTrue(outstanding > 85_000 && outstanding < 115_000, "node " + node + " " + outstanding);
    }
    routes.forEach(Route::succeeded);
    for (int node = 1; node <= 3; node++) {
      assertEquals(0, router.outstandingBytes(new NodeId(node)));
    }
  }

  @Test
  void everyClientReadsAChunkAtTheSameReplica() {
    Routing routing = routing(1, 1, 3);
    var elsewhere = new ChunkRouter(LIMITS, Optional.empty(), () -> 12345);
    var chunksAt = new HashMap<NodeId, Integer>();
    for (int index = 0; index < 300; index++) {
      var chunk = new ChunkId(new InodeId(77), index);
      NodeId here = send(router.toReplica(CHAIN, chunk, 1, 0).next(routing, 0)).node().id();
      NodeId there = send(elsewhere.toReplica(CHAIN, chunk, 1, 0).next(routing, 0)).node().id();
      assertEquals(here, there);
      chunksAt.merge(here, 1, Integer::sum);
    }
    assertEquals(3, chunksAt.size());
    assertTrue(chunksAt.values().stream().allMatch(count -> count > 70), chunksAt::toString);
  }

  @Test
  void leavesAChunksReplicaThatHasMuchMoreOutstanding() {
    Routing routing = routing(1, 1, 3);
    var chunk = new ChunkId(new InodeId(77), 5);
    for (int i = 0; i < 300; i++) {
      router.toReplica(CHAIN, chunk, 1 << 20, 0).next(routing, 0);
    }
    long most = 0;
    for (int node = 1; node <= 3; node++) {
      long outstanding = router.outstandingBytes(new NodeId(node));
      assertTrue(outstanding > 80L << 20, "node " + node + " " + outstanding);
      most = Math.max(most, outstanding);
    }
    assertTrue(most < 120L << 20, "most " + most);
  }

  @Test
  void readsAChunkElsewhereWhenItsReplicaFailed() {
    Routing routing = routing(1, 1, 3);
    var chunk = new ChunkId(new InodeId(77), 5);
    Route route = router.toReplica(CHAIN, chunk, 1, 0);
    NodeId first = send(route.next(routing, 0)).node().id();
    NodeId second = send(route.failed(ErrorCode.CONNECTION_LOST, routing, 1)).node().id();
    assertNotEquals(first, second);
    route.succeeded();
    assertNotEquals(first, send(router.toReplica(CHAIN, chunk, 1, 2).next(routing, 2)).node().id());
    assertEquals(first, send(router.toReplica(CHAIN, chunk, 1, 60).next(routing, 60)).node().id());
  }

  @Test
  void countsNoLoadOfAnAbandonedRoute() {
    Route route = router.toReplica(CHAIN, 10, 0);
    NodeId node = send(route.next(routing(1, 1, 1), 0)).node().id();
    assertEquals(10, router.outstandingBytes(node));
    route.abandon();
    route.abandon();
    assertEquals(0, router.outstandingBytes(node));
  }

  @Test
  void refusesTwoAttemptsAtOnce() {
    Route route = router.toHead(CHAIN, 0);
    route.next(routing(1, 1, 1), 0);
    assertThrows(IllegalStateException.class, () -> route.next(routing(1, 1, 1), 1));
    route.succeeded();
    assertThrows(IllegalStateException.class, route::succeeded);
  }

  private static Send send(Step step) {
    return assertInstanceOf(Send.class, step);
  }

  private static Routing routing(int routingVersion, int chainVersion, int replicas) {
    PublicState[] states = new PublicState[replicas];
    java.util.Arrays.fill(states, PublicState.SERVING);
    return of(routingVersion, chain(chainVersion, states), replicas);
  }

  private static Routing withoutHead(int routingVersion, int chainVersion) {
    return of(
        routingVersion,
        new Chain(
            CHAIN,
            new ChainVersion(chainVersion),
            List.of(
                new ChainMember(new TargetId(2), PublicState.SERVING),
                new ChainMember(new TargetId(1), PublicState.OFFLINE))),
        2);
  }

  private static Chain chain(int version, PublicState... states) {
    List<ChainMember> members = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      members.add(new ChainMember(new TargetId(i + 1), states[i]));
    }
    return new Chain(CHAIN, new ChainVersion(version), members);
  }

  private static Routing of(int version, Chain chain, int nodes) {
    String[] zones = new String[nodes];
    java.util.Arrays.fill(zones, "z");
    return of(version, chain, zones);
  }

  private static Routing zoned(String... zones) {
    return of(1, chain(1, PublicState.SERVING, PublicState.SERVING, PublicState.SERVING), zones);
  }

  private static Routing of(int version, Chain chain, String... zones) {
    List<StorageNode> nodes = new ArrayList<>();
    for (int i = 0; i < zones.length; i++) {
      nodes.add(
          new StorageNode(
              new NodeId(i + 1),
              "host",
              i + 1,
              Map.of("zone", zones[i]),
              List.of(new TargetId(i + 1)),
              1));
    }
    return Routing.EMPTY.apply(
        new RoutingDelta(
            new RoutingVersion(0),
            new RoutingVersion(version),
            true,
            nodes,
            List.of(chain),
            List.of()));
  }
}
