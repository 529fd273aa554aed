package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;

/**
 * A manager with servers that do at once what routing asks of them: node {@code n} has target
 * {@code n}. Time passes only when it is told to.
 */
final class LivingCluster {
  static final long CLUSTER = 77;
  static final ClusterTimings TIMINGS = ClusterTimings.DEFAULT;

  final Map<Integer, UnaryOperator<TargetReport.Builder>> reports = new HashMap<>();
  final Set<Integer> silent = new HashSet<>();

  /** Of each node, which others do not answer it, and since when. */
  final Map<Integer, Map<Integer, Long>> unreachable = new HashMap<>();

  final List<HeartbeatReply> answers = new ArrayList<>();
  ClusterManager manager = new ClusterManager(TIMINGS, 2);
  ClusterState state =
      ClusterState.EMPTY.initCluster(InitCluster.newBuilder().setClusterId(CLUSTER).build());
  long now = 1_000_000_000_000L;
  private final int nodes;
  private long sequence;
  @Nullable CommandReply reply;
  ClusterEffect.@Nullable Refuse refusal;

  LivingCluster(int nodes) {
    this.nodes = nodes;
    for (int node = 1; node <= nodes; node++) {
      state = state.register(registration(node, 10 + node, "host" + node + ":1").build()).state();
    }
    step(new ClusterEvent.BecameLeader(state));
    pass(1);
  }

  static RegisterRequest.Builder registration(int node, long incarnation, String address) {
    return RegisterRequest.newBuilder()
        .setClusterId(CLUSTER)
        .setIncarnation(incarnation)
        .setAddress(address)
        .addTargets(TargetRegistration.newBuilder().setUuid(100 + node).setDisk("d" + node));
  }

  void table(int replicas, int chains) {
    step(
        new ClusterEvent.CreateTable(
            CreateTableRequest.newBuilder().setReplicas(replicas).setChains(chains).build()));
    pass(2);
  }

  /** An operator's wish; what refused it, or an empty text. */
  String operate(Operation.Builder operation) {
    reply = null;
    refusal = null;
    step(new ClusterEvent.Operate(operation.build()));
    ClusterEffect.Refuse refused = refusal;
    CommandReply replied = reply;
    return refused != null
        ? refused.message()
        : replied == null ? "no answer" : replied.getOperation().getMessage();
  }

  Chain chain(int id) {
    return state.routing().chain(new ChainId(id)).orElseThrow();
  }

  /** So many heartbeats of every server that is not silent, each followed by a tick. */
  void pass(int heartbeats) {
    for (int beat = 0; beat < heartbeats; beat++) {
      now += TIMINGS.heartbeatNanos();
      for (int node = 1; node <= nodes; node++) {
        if (!silent.contains(node)) {
          beat(node);
        }
      }
      step(new ClusterEvent.Tick());
    }
  }

  void beat(int node) {
    TargetId target = new TargetId(node);
    var report =
        TargetReport.newBuilder().setTargetId(node).setLocalState(LocalState.LOCAL_STATE_ONLINE);
    for (ChainId id : state.chainsOf(target)) {
      Chain chain = state.routing().chain(id).orElseThrow();
      PublicState now = chain.stateOf(target).orElseThrow();
      report.addChains(
          ChainReport.newBuilder()
              .setChainId(id.value())
              .setChainVersion(chain.version().value())
              .setLocalState(
                  now == PublicState.SERVING
                          || now == PublicState.SYNCING
                          || now == PublicState.LAST_SERVING
                      ? LocalState.LOCAL_STATE_UP_TO_DATE
                      : LocalState.LOCAL_STATE_ONLINE));
    }
    step(
        new ClusterEvent.Heartbeat(
            HeartbeatRequest.newBuilder()
                .setClusterId(CLUSTER)
                .setNodeId(node)
                .setIncarnation(10 + node)
                .setSequence(++sequence)
                .setRoutingVersion(state.routing().version().value())
                .addAllUnreachable(silences(node))
                .addTargets(reports.getOrDefault(node, each -> each).apply(report))
                .build()));
  }

  private List<PeerReport> silences(int node) {
    return unreachable.getOrDefault(node, Map.of()).entrySet().stream()
        .map(each ->
            PeerReport.newBuilder()
                .setNodeId(each.getKey())
                .setSilentNanos(now - each.getValue())
                .build())
        .toList();
  }

  /** From now on one server gets no answer of another. */
  void cut(int from, int to) {
    unreachable.computeIfAbsent(from, _ -> new TreeMap<>()).putIfAbsent(to, now);
  }

  /** All links are whole. */
  void mend() {
    unreachable.clear();
  }

  void step(ClusterEvent event) {
    for (ClusterEffect effect : manager.step(event, now)) {
      switch (effect) {
        case ClusterEffect.ProposeChains(var command) ->
            apply(Command.newBuilder().setChangeChains(command).build());
        case ClusterEffect.Propose(var command) -> reply = apply(command);
        case ClusterEffect.Refuse refused -> refusal = refused;
        case ClusterEffect.AnswerHeartbeat(var answer) -> answers.add(answer);
      }
    }
  }

  private CommandReply apply(Command command) {
    var applied = state.apply(command);
    state = applied.state();
    step(new ClusterEvent.StateChanged(state));
    return applied.reply();
  }

  /** Another member leads: what it knew of the living is lost. */
  void newLeader() {
    manager = new ClusterManager(TIMINGS, 2);
    step(new ClusterEvent.BecameLeader(state));
  }
}
