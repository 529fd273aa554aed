package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.Incarnation;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClusterManagerTest {
  private static final long CLUSTER = 77;
  private static final LocalState UP = LocalState.LOCAL_STATE_UP_TO_DATE;
  private static final LocalState ONLINE = LocalState.LOCAL_STATE_ONLINE;
  private static final LocalState OFFLINE = LocalState.LOCAL_STATE_OFFLINE;
  private static final ClusterTimings TIMINGS = ClusterTimings.DEFAULT;
  private static final ChainId CHAIN = new ChainId(1);

  private final ClusterManager manager = new ClusterManager(TIMINGS, 1);
  private ClusterState state = ClusterState.EMPTY;
  private final List<ChangeChains> held = new ArrayList<>();
  private final List<CommandReply> replies = new ArrayList<>();
  private boolean hold;
  private long now = 1_000_000_000_000L;
  private long sequence;

  @BeforeEach
  void threeNodesAndOneChain() {
    state = state.initCluster(InitCluster.newBuilder().setClusterId(CLUSTER).build());
    for (int node = 1; node <= 3; node++) {
      state = state.register(registration(node, 10 + node)).state();
    }
    step(new ClusterEvent.BecameLeader(state));
    for (int node = 1; node <= 3; node++) {
      beat(node, 10 + node, ONLINE, 0);
    }
    step(
        new ClusterEvent.CreateTable(
            CreateTableRequest.newBuilder().setReplicas(3).setChains(1).build()));
    beatAll(UP);
    assertEquals(3, chain().serving().size());
  }

  @Test
  void aSilentServerLosesItsPlaceAfterTheFailureTimeOnly() {
    silent(2, TIMINGS.failureNanos());
    assertEquals(3, chain().serving().size());
    silent(2, 2 * TIMINGS.heartbeatNanos());
    assertEquals(List.of(new TargetId(1), new TargetId(3)), chain().serving());
  }

  @Test
  void aServerThatSaysOfflineLosesItsPlaceAtOnce() {
    beat(1, 11, OFFLINE, 0);
    assertEquals(PublicState.OFFLINE, chain().stateOf(new TargetId(1)).orElseThrow());
  }

  @Test
  void aReturnedReplicaSyncsAndServesOnlyByAReportOfThePresentVersion() {
    beat(2, 12, OFFLINE, 0);
    beat(2, 12, ONLINE, chain().version().value());
    assertEquals(PublicState.SYNCING, chain().stateOf(new TargetId(2)).orElseThrow());
    beat(2, 12, UP, chain().version().value() - 1);
    assertEquals(PublicState.SYNCING, chain().stateOf(new TargetId(2)).orElseThrow());
    beat(2, 12, UP, chain().version().value());
    assertEquals(List.of(new TargetId(1), new TargetId(3), new TargetId(2)), chain().serving());
  }

  @Test
  void noLeaseWhileAChangeAgainstTheServerIsOnItsWay() {
    hold = true;
    silent(2, TIMINGS.failureNanos() + 2 * TIMINGS.heartbeatNanos());
    assertEquals(3, chain().serving().size());
    assertEquals(0, beat(2, 12, UP, 1).getLeaseNanos());
    assertEquals(TIMINGS.leaseNanos(), beat(1, 11, UP, 1).getLeaseNanos());
    release();
    HeartbeatReply reply = beat(2, 12, UP, 1);
    assertEquals(TIMINGS.leaseNanos(), reply.getLeaseNanos());
    assertTrue(reply.getRouting().getChainsCount() > 0, "the server learns of the change with it");
  }

  @Test
  void aLostProposalIsMadeAgain() {
    hold = true;
    beat(1, 11, OFFLINE, 0);
    held.clear();
    now += 2 * TIMINGS.heartbeatNanos();
    step(new ClusterEvent.Tick());
    release();
    assertEquals(PublicState.OFFLINE, chain().stateOf(new TargetId(1)).orElseThrow());
  }

  @Test
  void aNewLeaderHoldsSilenceAgainstNobodyForOneFailureTime() {
    step(new ClusterEvent.BecameLeader(state));
    for (long waited = 0; waited < TIMINGS.failureNanos(); waited += TIMINGS.heartbeatNanos()) {
      step(new ClusterEvent.Tick());
      assertEquals(3, chain().serving().size());
      now += TIMINGS.heartbeatNanos();
    }
    step(new ClusterEvent.Tick());
    assertEquals(List.of(), chain().serving());
    assertEquals(
        List.of(PublicState.LAST_SERVING, PublicState.LAST_SERVING, PublicState.LAST_SERVING),
        chain().members().stream().map(member -> member.state()).toList());
  }

  @Test
  void aPauseOfTheManagerIsNotHeldAgainstServers() {
    step(new ClusterEvent.Tick());
    now += 3 * TIMINGS.failureNanos();
    step(new ClusterEvent.Tick());
    assertEquals(3, chain().serving().size());
  }

  @Test
  void aNewLifeOfAServerIsOutAtOnceAndTheOldOneIsRefused() {
    state = state.register(registration(3, 99)).state();
    step(new ClusterEvent.StateChanged(state));
    assertEquals(PublicState.OFFLINE, chain().stateOf(new TargetId(3)).orElseThrow());
    assertEquals(ErrorCode.UNKNOWN_NODE.number(), beat(3, 13, UP, 1).getCode());
    assertEquals(PublicState.OFFLINE, chain().stateOf(new TargetId(3)).orElseThrow());
    beat(3, 99, ONLINE, chain().version().value());
    assertEquals(PublicState.SYNCING, chain().stateOf(new TargetId(3)).orElseThrow());
  }

  /** It may have heard of nobody because everybody reported to its successor. */
  @Test
  void whatAFormerManagerDecidedHasNoEffect() {
    hold = true;
    silent(2, TIMINGS.failureNanos() + 2 * TIMINGS.heartbeatNanos());
    assertFalse(held.isEmpty());
    state = state.takeOffice().state();
    release();
    assertEquals(3, chain().serving().size());
    step(new ClusterEvent.StateChanged(state));
    assertFalse(manager.leads());
  }

  /** It would count the living one out at once, which may serve by its lease. */
  @Test
  void aRegistrationOfAnEarlierLifeThatComesLateChangesNothing() {
    long first = Incarnation.after(0, 7);
    long second = Incarnation.after(first, 3);
    ClusterState before = state.register(registration(3, second)).state();
    var late = before.register(registration(3, first));
    assertEquals(ErrorCode.CANCELLED.number(), late.reply().getCode());
    assertEquals(second, late.state().incarnationOf(new NodeId(3)).orElseThrow());
  }

  @Test
  void anOvertakenHeartbeatHasNoEffect() {
    long old = ++sequence;
    beat(2, 12, UP, 1);
    HeartbeatReply reply = answer(request(2, 12, OFFLINE, 0).setSequence(old).build());
    assertEquals(ErrorCode.CANCELLED.number(), reply.getCode());
    assertEquals(0, reply.getLeaseNanos());
    assertEquals(3, chain().serving().size());
  }

  @Test
  void oneTargetMayBeCompleteInOneChainAndBehindInAnother() {
    step(
        new ClusterEvent.CreateTable(
            CreateTableRequest.newBuilder().setReplicas(3).setChains(1).build()));
    ChainId second = new ChainId(2);
    answer(
        request(2, 12, UP, 1)
            .setSequence(++sequence)
            .setTargets(
                0,
                TargetReport.newBuilder()
                    .setTargetId(2)
                    .setLocalState(UP)
                    .setChainVersion(1)
                    .addChains(
                        ChainReport.newBuilder()
                            .setChainId(2)
                            .setLocalState(OFFLINE)
                            .setChainVersion(1)))
            .build());
    assertEquals(PublicState.SERVING, chain().stateOf(new TargetId(2)).orElseThrow());
    assertEquals(
        PublicState.OFFLINE,
        state.routing().chain(second).orElseThrow().stateOf(new TargetId(2)).orElseThrow());
  }

  @Test
  void aTableNeedsAsManyLivingNodesAsReplicas() {
    silent(2, TIMINGS.failureNanos() + 2 * TIMINGS.heartbeatNanos());
    List<ClusterEffect> effects =
        manager.step(
            new ClusterEvent.CreateTable(CreateTableRequest.newBuilder().setReplicas(3).build()),
            now);
    assertTrue(effects.getFirst() instanceof ClusterEffect.Refuse, effects.toString());
  }

  @Test
  void deltasAndStoredRecordsRebuildTheSameState() {
    Routing known = Routing.EMPTY.apply(state.deltaSince(new RoutingVersion(0)));
    ClusterState before = state;
    beat(1, 11, OFFLINE, 0);
    assertEquals(1, state.deltaSince(known.version()).chains().size());
    known = known.apply(RoutingMessages.fromMessage(state.updateSince(known.version().value())));
    assertEquals(state.routing().chains(), known.chains());
    assertEquals(state.routing().nodes(), known.nodes());
    assertEquals(state.routing().tables(), known.tables());

    var records = new ArrayList<>(state.changedSince(ClusterState.EMPTY));
    assertEquals(state, ClusterState.of(records));
    assertEquals(2, state.changedSince(before).size());
    assertTrue(state.deltaSince(new RoutingVersion(1_000_000)).full());
  }

  @Test
  void registeringAgainGivesTheSameNumbers() {
    var first = state.register(registration(3, 13));
    assertEquals(3, first.reply().getNodeId());
    assertEquals(state, first.state());
    var other =
        state.register(registration(3, 55).toBuilder().setNodeId(0).setAddress("other:1").build());
    assertEquals(3, other.reply().getNodeId());
    assertEquals(List.of(3L), other.reply().getTargetIdsList());
    assertEquals(
        ErrorCode.WRONG_CLUSTER.number(),
        state.register(registration(3, 55).toBuilder().setClusterId(5).build()).reply().getCode());
  }

  private static RegisterRequest registration(int node, long incarnation) {
    return RegisterRequest.newBuilder()
        .setClusterId(CLUSTER)
        .setIncarnation(incarnation)
        .setAddress("host" + node + ":7000")
        .addTargets(TargetRegistration.newBuilder().setUuid(100 + node).setDisk("d" + node))
        .build();
  }

  private Chain chain() {
    return state.routing().chain(CHAIN).orElseThrow();
  }

  private HeartbeatRequest.Builder request(
      int node, long incarnation, LocalState local, int version) {
    return HeartbeatRequest.newBuilder()
        .setClusterId(CLUSTER)
        .setNodeId(node)
        .setIncarnation(incarnation)
        .setRoutingVersion(state.routing().version().value() - 1)
        .addTargets(
            TargetReport.newBuilder()
                .setTargetId(node)
                .setLocalState(local)
                .setChainVersion(version));
  }

  private HeartbeatReply beat(int node, long incarnation, LocalState local, int version) {
    return answer(request(node, incarnation, local, version).setSequence(++sequence).build());
  }

  private void beatAll(LocalState local) {
    for (int node = 1; node <= 3; node++) {
      beat(node, 10 + node, local, chain().version().value());
    }
  }

  /** Time passes; one node is silent, the others report. */
  private void silent(int node, long nanos) {
    for (long waited = 0; waited < nanos; waited += TIMINGS.heartbeatNanos()) {
      now += TIMINGS.heartbeatNanos();
      for (int other = 1; other <= 3; other++) {
        if (other != node) {
          beat(other, 10 + other, UP, chain().version().value());
        }
      }
      step(new ClusterEvent.Tick());
    }
  }

  private HeartbeatReply answer(HeartbeatRequest request) {
    return step(new ClusterEvent.Heartbeat(request)).stream()
        .filter(ClusterEffect.AnswerHeartbeat.class::isInstance)
        .map(effect -> ((ClusterEffect.AnswerHeartbeat) effect).reply())
        .findFirst()
        .orElseThrow();
  }

  private List<ClusterEffect> step(ClusterEvent event) {
    List<ClusterEffect> effects = manager.step(event, now);
    for (ClusterEffect effect : effects) {
      switch (effect) {
        case ClusterEffect.ProposeChains(ChangeChains command) -> {
          held.add(command);
          if (!hold) {
            release();
          }
        }
        case ClusterEffect.Propose(var command) -> {
          var applied = state.apply(command);
          state = applied.state();
          replies.add(applied.reply());
          step(new ClusterEvent.StateChanged(state));
        }
        case ClusterEffect.AnswerHeartbeat _, ClusterEffect.Refuse _ -> {}
      }
    }
    return effects;
  }

  private void release() {
    hold = false;
    List<ChangeChains> commands = List.copyOf(held);
    held.clear();
    for (ChangeChains command : commands) {
      state = state.changeChains(command).state();
      step(new ClusterEvent.StateChanged(state));
    }
  }
}
