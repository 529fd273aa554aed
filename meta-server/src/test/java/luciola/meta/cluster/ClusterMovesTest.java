package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.SlowDiskPolicy;
import luciola.meta.placement.MovePlanner;
import luciola.meta.placement.Place;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

class ClusterMovesTest {
  private static ChainPlan.Builder plan(int chain, long... wanted) {
    var plan = ChainPlan.newBuilder().setChainId(chain);
    for (long target : wanted) {
      plan.addWanted(target);
    }
    return plan;
  }

  private static Operation.Builder drain(LivingCluster cluster, long node) {
    Set<TargetId> eligible = new HashSet<>();
    cluster.manager.eligible(cluster.now).forEach((Place place) -> eligible.add(place.target()));
    eligible.remove(new TargetId(node));
    var existing = new ArrayList<MovePlanner.Existing>();
    for (Chain chain : cluster.state.routing().chains().values()) {
      existing.add(
          new MovePlanner.Existing(
              chain.id(),
              chain.members().stream().map(ChainMember::target).toList(),
              cluster.state.domain(chain.id())));
    }
    var operation = Operation.newBuilder().addDrainNodes(node);
    new MovePlanner(cluster.state.places(), eligible, existing)
        .drain(Set.of(new TargetId(node)))
        .forEach(move ->
            operation.addPlans(
                plan(
                    move.chain().value(),
                    move.wanted().stream().mapToLong(TargetId::value).toArray())));
    return operation;
  }

  private static boolean settled(LivingCluster cluster) {
    return cluster.state.plans().isEmpty()
        && cluster.state.routing().chains().values().stream()
            .allMatch(chain -> chain.serving().size() == chain.members().size());
  }

  @Test
  void aDrainedNodeEndsEmptyAndEveryChainKeepsThreeThatServe() {
    var cluster = new LivingCluster(6);
    cluster.table(3, 12);
    assertEquals("", cluster.operate(drain(cluster, 2)));
    for (int beat = 0; beat < 60 && !settled(cluster); beat++) {
      cluster.pass(1);
      cluster
          .state
          .routing()
          .chains()
          .values()
          .forEach(chain -> assertTrue(chain.serving().size() >= 3, chain::toString));
    }
    assertTrue(settled(cluster), () -> cluster.state.plans().toString());
    assertEquals(List.of(), cluster.state.chainsOf(new TargetId(2)));
    assertEquals(
        "the storage-server is alive, stop it first: node=2",
        cluster.operate(Operation.newBuilder().addRemoveNodes(2)));
    cluster.silent.add(2);
    cluster.pass(12);
    assertEquals("", cluster.operate(Operation.newBuilder().addRemoveNodes(2)));
    assertEquals(5, cluster.manager.nodeStatuses(cluster.now).size());
  }

  @Test
  void aPlanGoesOnUnderANewLeader() {
    var cluster = new LivingCluster(6);
    cluster.table(3, 12);
    assertEquals("", cluster.operate(drain(cluster, 2)));
    for (int beat = 0; beat < 200 && !settled(cluster); beat++) {
      cluster.beat(1 + beat % 6);
      if (beat % 7 == 0) {
        cluster.newLeader();
      }
      cluster.pass(1);
    }
    assertTrue(settled(cluster), () -> cluster.state.plans().toString());
    assertEquals(List.of(), cluster.state.chainsOf(new TargetId(2)));
  }

  @Test
  void onlySoManyChainsMoveAtOnce() {
    var cluster = new LivingCluster(6);
    cluster.table(3, 24);
    assertEquals(
        "",
        cluster.operate(
            Operation.newBuilder().setSettings(ClusterSettings.newBuilder().setMovesMax(2))));
    for (int node = 1; node <= 6; node++) {
      // Fillings take for ever.
      cluster.reports.put(
          node,
          report -> {
            for (int i = 0; i < report.getChainsCount(); i++) {
              var chain = report.getChainsBuilder(i);
              boolean syncing =
                  cluster
                      .chain(chain.getChainId())
                      .stateOf(new TargetId(report.getTargetId()))
                      .filter(PublicState.SYNCING::equals)
                      .isPresent();
              if (syncing) {
                chain.setLocalState(LocalState.LOCAL_STATE_ONLINE);
              }
            }
            return report;
          });
    }
    assertEquals("", cluster.operate(drain(cluster, 2)));
    cluster.pass(10);
    assertEquals(
        2,
        cluster.state.routing().chains().values().stream()
            .filter(chain -> chain.members().size() > 3)
            .count());
    cluster.reports.clear();
    cluster.pass(60);
    assertTrue(settled(cluster));
  }

  @Test
  void aMemberThatIsLetGoStaysOnTheWritePathUntilItKnows() {
    var cluster = new LivingCluster(4);
    cluster.table(3, 1);
    Set<TargetId> members = new HashSet<>(cluster.chain(1).serving());
    TargetId out = cluster.chain(1).head().orElseThrow();
    members.remove(out);
    long spare = 10 - out.value() - members.stream().mapToLong(TargetId::value).sum();
    members.add(new TargetId(spare));
    cluster.pass(1);
    assertEquals(
        "",
        cluster.operate(
            Operation.newBuilder()
                .addPlans(plan(1, members.stream().mapToLong(TargetId::value).toArray()))));
    cluster.silent.add((int) out.value());
    cluster.pass(4);
    // The others serve; it was told nothing, so it is still asked for every write.
    assertEquals(members, Set.copyOf(cluster.chain(1).serving()));
    assertEquals(PublicState.SYNCING, cluster.chain(1).stateOf(out).orElseThrow());
    assertTrue(cluster.chain(1).writePath().contains(out));
    cluster.silent.clear();
    cluster.pass(1);
    assertTrue(cluster.chain(1).stateOf(out).isEmpty());
    assertEquals(List.of(), cluster.state.plans());
  }

  @Test
  void whatIsNotAliveOrTheLastIsRefused() {
    var cluster = new LivingCluster(5);
    cluster.table(3, 5);
    int other = 1;
    while (cluster.chain(1).stateOf(new TargetId(other)).isPresent()) {
      other++;
    }
    List<Long> stay =
        cluster.chain(1).members().stream().map(each -> each.target().value()).toList();
    cluster.silent.add(other);
    cluster.pass(12);
    ClusterState before = cluster.state;
    String said =
        cluster.operate(Operation.newBuilder().addPlans(plan(1, stay.get(0), stay.get(1), other)));
    assertTrue(said.contains("target is not alive: chain=1 target=" + other), said);
    cluster.silent.add((int) (long) stay.get(0));
    cluster.pass(12);
    said =
        cluster.operate(
            Operation.newBuilder().addPlans(plan(1, stay.get(0), stay.get(1)).setFewer(true)));
    assertTrue(said.contains("too few replicas would serve"), said);
    said =
        cluster.operate(
            Operation.newBuilder().addHoldTargets(stay.get(1)).addHoldTargets(stay.get(2)));
    assertTrue(said.contains("the last replica that serves would be taken out"), said);
    assertEquals(before.plans(), cluster.state.plans());
    assertFalse(cluster.state.held(new TargetId(stay.get(1))));
  }

  @Test
  void aHeldTargetServesNothingUntilItIsReleased() {
    var cluster = new LivingCluster(3);
    cluster.table(3, 3);
    assertEquals("", cluster.operate(Operation.newBuilder().addHoldTargets(2)));
    cluster.pass(5);
    for (Chain chain : cluster.state.routing().chains().values()) {
      assertEquals(PublicState.OFFLINE, chain.stateOf(new TargetId(2)).orElseThrow());
    }
    assertTrue(cluster.manager.targetStatuses(cluster.now).get(1).getHeld());
    assertEquals("", cluster.operate(Operation.newBuilder().addReleaseTargets(2)));
    cluster.pass(5);
    assertTrue(settled(cluster));
  }

  @Test
  void aSlowDiskIsShownAndByPolicyTakenOut() {
    var cluster = new LivingCluster(5);
    cluster.table(3, 5);
    for (int node = 1; node <= 5; node++) {
      long nanos = node == 2 ? 80_000_000 : 1_000_000;
      cluster.reports.put(node, report -> report.setFlushLatencyNanos(nanos));
    }
    cluster.pass(25);
    assertFalse(cluster.manager.targetStatuses(cluster.now).get(1).getSlow());
    cluster.pass(10);
    var slow = cluster.manager.targetStatuses(cluster.now).get(1);
    assertTrue(slow.getSlow());
    assertEquals("flush takes 80.0 ms, 80.0 times the 1.00 ms of its peers", slow.getReason());
    assertTrue(settled(cluster), "the policy is to report");
    assertEquals(
        "",
        cluster.operate(
            Operation.newBuilder()
                .setSettings(
                    ClusterSettings.newBuilder()
                        .setSlowDiskPolicy(SlowDiskPolicy.SLOW_DISK_POLICY_DEMOTE))));
    cluster.pass(5);
    for (Chain chain : cluster.state.routing().chains().values()) {
      chain.stateOf(new TargetId(2)).ifPresent(state -> assertEquals(PublicState.OFFLINE, state));
      assertTrue(chain.serving().size() >= 2);
    }
    // As fast as the others for as long: it is filled and serves.
    cluster.reports.put(2, report -> report.setFlushLatencyNanos(1_500_000));
    cluster.pass(40);
    assertTrue(settled(cluster));
    assertFalse(cluster.manager.targetStatuses(cluster.now).get(1).getSlow());
  }

  @Test
  void aSlowDiskServesOnWhereItsChainsWouldNotStayRedundant() {
    var cluster = new LivingCluster(5);
    cluster.table(2, 5);
    for (int node = 1; node <= 5; node++) {
      long nanos = node == 2 ? 80_000_000 : 1_000_000;
      cluster.reports.put(node, report -> report.setReadLatencyNanos(nanos));
    }
    cluster.operate(
        Operation.newBuilder()
            .setSettings(
                ClusterSettings.newBuilder()
                    .setSlowDiskPolicy(SlowDiskPolicy.SLOW_DISK_POLICY_DEMOTE)));
    cluster.pass(40);
    assertTrue(cluster.manager.targetStatuses(cluster.now).get(1).getSlow());
    assertTrue(settled(cluster));
  }

  @Test
  void aLostReplicaIsReplacedByItselfOnlyIfThatIsThePolicy() {
    var cluster = new LivingCluster(5);
    cluster.table(3, 5);
    cluster.silent.add(2);
    cluster.pass(100);
    assertEquals(List.of(), cluster.state.plans());
    assertFalse(cluster.state.chainsOf(new TargetId(2)).isEmpty());
    cluster.operate(
        Operation.newBuilder()
            .setSettings(
                ClusterSettings.newBuilder().setAutoReplaceNanos(TimeUnit.MINUTES.toNanos(1))));
    cluster.pass(100);
    assertTrue(settled(cluster), () -> cluster.state.plans().toString());
    assertEquals(List.of(), cluster.state.chainsOf(new TargetId(2)));
  }

  @Test
  void serversThatDieTogetherAreAllKnownToHoldEverything() {
    var cluster = new LivingCluster(3);
    cluster.table(3, 1);
    cluster.pass(3);
    // Their last heartbeats are a second apart each.
    for (int node = 1; node <= 3; node++) {
      cluster.silent.add(node);
      cluster.pass(1);
    }
    cluster.pass(12);
    for (ChainMember member : cluster.chain(1).members()) {
      assertEquals(PublicState.LAST_SERVING, member.state(), cluster.chain(1)::toString);
    }
    // Any of them brings the chain back.
    cluster.silent.remove(2);
    cluster.pass(1);
    assertEquals(List.of(new TargetId(2)), cluster.chain(1).serving());
    cluster.silent.clear();
    cluster.pass(5);
    assertTrue(settled(cluster));
  }

  @Test
  void aServerIsNotTakenForGoneBeforeTheFailureTimeWhileAnotherServes() {
    var cluster = new LivingCluster(3);
    cluster.table(3, 1);
    cluster.pass(3);
    cluster.silent.add(1);
    cluster.pass(3);
    cluster.silent.add(2);
    cluster.pass(8);
    // The first is out, the second has been silent for 8 of 10 s.
    assertEquals(PublicState.OFFLINE, cluster.chain(1).stateOf(new TargetId(1)).orElseThrow());
    assertEquals(PublicState.SERVING, cluster.chain(1).stateOf(new TargetId(2)).orElseThrow());
  }

  @Test
  void twoServersWithOneIdentityAreRefusedWhileTheFirstLives() {
    var cluster = new LivingCluster(3);
    cluster.table(3, 1);
    cluster.pass(5);
    ClusterState before = cluster.state;
    var copy = LivingCluster.registration(2, 99, "elsewhere:1").setNodeId(2);
    cluster.step(new ClusterEvent.Register(copy.build()));
    ClusterEffect.Refuse refused = cluster.refusal;
    assertNotNull(refused);
    assertEquals(ErrorCode.IDENTITY_IN_USE, refused.code());
    assertTrue(refused.message().contains("node=2 at=host2:1 asked_from=elsewhere:1"));
    assertEquals(before, cluster.state);
    // It is dead for a few heartbeats: then its data may come back elsewhere.
    cluster.silent.add(2);
    cluster.pass(4);
    cluster.refusal = null;
    cluster.step(new ClusterEvent.Register(copy.build()));
    assertNull(cluster.refusal);
    assertEquals(99, cluster.state.incarnationOf(new luciola.protocol.id.NodeId(2)).orElseThrow());
  }

  @Test
  void aRestartAtTheSameAddressIsTakenAtOnce() {
    var cluster = new LivingCluster(3);
    cluster.pass(5);
    cluster.step(
        new ClusterEvent.Register(
            LivingCluster.registration(2, 99, "host2:1").setNodeId(2).build()));
    assertNull(cluster.refusal);
    assertEquals(99, cluster.state.incarnationOf(new luciola.protocol.id.NodeId(2)).orElseThrow());
  }

  @Test
  void aTargetOfALivingServerDoesNotMoveToAnother() {
    var cluster = new LivingCluster(3);
    cluster.pass(5);
    var thief =
        LivingCluster.registration(3, 13, "host3:1")
            .setNodeId(3)
            .addTargets(
                luciola.grpc.v1.TargetRegistration.newBuilder().setUuid(102).setDisk("moved"));
    cluster.step(new ClusterEvent.Register(thief.build()));
    ClusterEffect.Refuse refused = cluster.refusal;
    assertNotNull(refused);
    assertTrue(refused.message().contains("target=2 node=2 asked_by=3"), refused::message);
    cluster.silent.add(2);
    cluster.pass(4);
    cluster.refusal = null;
    cluster.step(new ClusterEvent.Register(thief.build()));
    assertNull(cluster.refusal);
    assertEquals(3, cluster.state.routing().nodeOf(new TargetId(2)).orElseThrow().id().value());
  }

  @Test
  void settingsReachServersWithTheirNextHeartbeat() {
    var cluster = new LivingCluster(3);
    cluster.operate(
        Operation.newBuilder()
            .setSettings(
                ClusterSettings.newBuilder()
                    .setResyncBytesPerSecond(200L << 20)
                    .setScrubBytesPerSecond(5)));
    cluster.pass(1);
    var settings = cluster.answers.getLast().getSettings();
    assertEquals(200L << 20, settings.getResyncBytesPerSecond());
    assertEquals(5, settings.getScrubBytesPerSecond());
  }

  @Test
  void heartbeatsCarryOnlyWhatChanged() {
    var cluster = new LivingCluster(4);
    cluster.table(3, 4);
    cluster.pass(1);
    var answer = cluster.answers.getLast();
    assertFalse(answer.getRouting().getFull());
    assertEquals(0, answer.getRouting().getChainsCount());
    assertEquals(0, answer.getRouting().getNodesCount());
  }
}
