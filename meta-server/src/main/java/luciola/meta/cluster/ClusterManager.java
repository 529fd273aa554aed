package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.TargetReport;
import luciola.meta.cluster.ClusterEffect.AnswerHeartbeat;
import luciola.meta.cluster.ClusterEffect.ProposeChains;
import luciola.meta.cluster.ClusterEffect.ProposeTable;
import luciola.meta.cluster.ClusterEffect.RefuseTable;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.StorageNode;
import org.jspecify.annotations.Nullable;

/**
 * What the leader of the meta-servers knows of the living cluster, and what it decides about
 * chains. All of it is soft state: a new leader starts with none. One owner thread.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A target loses its serving state only if its own server said so, or if the server was
 *       silent for the failure time; then every lease it was granted has ended.
 *   <li>While a change that takes serving away from a server may be on its way through the log,
 *       that server is granted no lease: it could not know of the change yet.
 *   <li>For one failure time after becoming leader, and after a pause of this process itself,
 *       silence is not held against anyone.
 *   <li>A report of another life of a server than the registered one, or one overtaken by a newer,
 *       has no effect.
 * </ul>
 *
 * <p>Time is monotonic nanoseconds given with each event; differences only.
 */
public final class ClusterManager {
  private final ClusterTimings timings;
  private final int syncingMax;
  private final Map<NodeId, Life> lives = new HashMap<>();

  /** Decided, not yet seen applied. Each stays until the chain has that version. */
  private final Map<ChainId, Proposal> proposals = new TreeMap<>();

  private boolean leader;
  private ClusterState state = ClusterState.EMPTY;
  private long graceUntilNanos;
  private long lastTickNanos;

  /** A server as it was last heard of. */
  private record Life(
      long incarnation, long heardNanos, long sequence, Map<TargetId, TargetReport> reports) {}

  private record Proposal(Chain chain, long madeNanos) {}

  /**
   * @param syncingMax how many members of one chain may be filled at the same time, 1 or more
   */
  public ClusterManager(ClusterTimings timings, int syncingMax) {
    if (syncingMax < 1) {
      throw new IllegalArgumentException("syncingMax must be positive: syncingMax=" + syncingMax);
    }
    this.timings = timings;
    this.syncingMax = syncingMax;
  }

  /** Takes one event and says what is to be done. */
  public List<ClusterEffect> step(ClusterEvent event, long nowNanos) {
    return switch (event) {
      case ClusterEvent.BecameLeader(ClusterState applied) -> becomeLeader(applied, nowNanos);
      case ClusterEvent.LostLeadership() -> stepDown();
      case ClusterEvent.StateChanged(ClusterState applied) -> stateChanged(applied, nowNanos);
      case ClusterEvent.Heartbeat(HeartbeatRequest request) -> heartbeat(request, nowNanos);
      case ClusterEvent.CreateTable(CreateTableRequest request) -> createTable(request, nowNanos);
      case ClusterEvent.Tick() -> tick(nowNanos);
    };
  }

  /** Whether the last word of the log was that this member leads. */
  public boolean leads() {
    return leader;
  }

  private List<ClusterEffect> becomeLeader(ClusterState applied, long nowNanos) {
    leader = true;
    state = applied;
    lives.clear();
    proposals.clear();
    graceUntilNanos = nowNanos + timings.failureNanos();
    lastTickNanos = nowNanos;
    return List.of();
  }

  private List<ClusterEffect> stepDown() {
    leader = false;
    lives.clear();
    proposals.clear();
    return List.of();
  }

  private List<ClusterEffect> stateChanged(ClusterState applied, long nowNanos) {
    ClusterState before = state;
    state = applied;
    if (!leader) {
      return List.of();
    }
    proposals
        .values()
        .removeIf(proposal ->
            applied
                .routing()
                .chain(proposal.chain().id())
                .filter(chain -> chain.version().compareTo(proposal.chain().version()) < 0)
                .isEmpty());
    var touched = new LinkedHashSet<ChainId>();
    for (StorageNode node : applied.routing().nodes().values()) {
      Optional<Long> former = before.incarnationOf(node.id());
      if (former.isPresent() && former.get() != node.incarnation()) {
        // A new life serves nothing until it has seen what became of its chains.
        lives.put(node.id(), new Life(node.incarnation(), nowNanos, 0, Map.of()));
        node.targets().forEach(target -> touched.addAll(applied.chainsOf(target)));
      }
    }
    for (Chain chain : applied.routing().chains().values()) {
      if (!chain.equals(before.routing().chains().get(chain.id()))) {
        touched.add(chain.id());
      }
    }
    return scan(touched, nowNanos);
  }

  private List<ClusterEffect> tick(long nowNanos) {
    if (!leader) {
      return List.of();
    }
    if (nowNanos - lastTickNanos > timings.failureNanos() / 2) {
      graceUntilNanos = nowNanos + timings.failureNanos();
    }
    lastTickNanos = nowNanos;
    var effects = new ArrayList<ClusterEffect>();
    var again = ChangeChains.newBuilder();
    proposals.replaceAll((_, proposal) -> {
      if (nowNanos - proposal.madeNanos() < timings.heartbeatNanos()) {
        return proposal;
      }
      again.addChains(RoutingMessages.toMessage(proposal.chain()));
      return new Proposal(proposal.chain(), nowNanos);
    });
    if (again.getChainsCount() > 0) {
      effects.add(new ProposeChains(again.build()));
    }
    effects.addAll(scan(state.routing().chains().keySet(), nowNanos));
    return effects;
  }

  private List<ClusterEffect> heartbeat(HeartbeatRequest request, long nowNanos) {
    if (!leader) {
      return refuse(ErrorCode.NOT_LEADER, "heartbeat: this member does not lead");
    }
    if (request.getClusterId() != state.clusterId()) {
      return refuse(
          ErrorCode.WRONG_CLUSTER,
          "heartbeat: cluster=" + Long.toHexString(request.getClusterId()));
    }
    Optional<StorageNode> node = nodeOf(request.getNodeId());
    if (node.isEmpty() || node.get().incarnation() != request.getIncarnation()) {
      return refuse(
          ErrorCode.UNKNOWN_NODE,
          "heartbeat: unknown node or another life of it has registered: node="
              + request.getNodeId());
    }
    Life former = lives.get(node.get().id());
    if (former != null
        && former.incarnation() == request.getIncarnation()
        && request.getSequence() != 0
        && request.getSequence() <= former.sequence()) {
      return refuse(
          ErrorCode.CANCELLED,
          "heartbeat: overtaken by a newer one: sequence=" + request.getSequence());
    }
    var reports = new HashMap<TargetId, TargetReport>();
    for (TargetReport report : request.getTargetsList()) {
      if (report.getTargetId() > 0) {
        reports.put(new TargetId(report.getTargetId()), report);
      }
    }
    lives.put(
        node.get().id(),
        new Life(request.getIncarnation(), nowNanos, request.getSequence(), reports));
    var touched = new LinkedHashSet<ChainId>();
    node.get().targets().forEach(target -> touched.addAll(state.chainsOf(target)));
    var effects = new ArrayList<>(scan(touched, nowNanos));
    effects.add(
        new AnswerHeartbeat(
            HeartbeatReply.newBuilder()
                .setLeaseNanos(mayLoseServing(node.get()) ? 0 : timings.leaseNanos())
                .setRouting(state.updateSince(request.getRoutingVersion()))
                .build()));
    return effects;
  }

  private Optional<StorageNode> nodeOf(long nodeId) {
    return nodeId < 1
        ? Optional.empty()
        : Optional.ofNullable(state.routing().nodes().get(new NodeId(nodeId)));
  }

  private static List<ClusterEffect> refuse(ErrorCode code, String message) {
    return List.of(
        new AnswerHeartbeat(
            HeartbeatReply.newBuilder().setCode(code.number()).setMessage(message).build()));
  }

  private boolean mayLoseServing(StorageNode node) {
    return proposals.values().stream()
        .map(Proposal::chain)
        .anyMatch(next ->
            state.routing().chain(next.id()).stream()
                .flatMap(chain -> chain.serving().stream())
                .anyMatch(
                    target -> node.targets().contains(target) && !next.serving().contains(target)));
  }

  private List<ClusterEffect> scan(Collection<ChainId> chains, long nowNanos) {
    var changes = ChangeChains.newBuilder();
    for (ChainId id : chains) {
      Chain chain = state.routing().chains().get(id);
      if (chain == null || proposals.containsKey(id)) {
        continue;
      }
      var local = new HashMap<TargetId, LocalState>();
      for (ChainMember member : chain.members()) {
        LocalState reported = reported(chain, member, nowNanos);
        if (reported != null) {
          local.put(member.target(), reported);
        }
      }
      Chain next = ChainTransitions.next(chain, local, syncingMax);
      if (!next.equals(chain)) {
        proposals.put(id, new Proposal(next, nowNanos));
        changes.addChains(RoutingMessages.toMessage(next));
      }
    }
    return changes.getChainsCount() == 0 ? List.of() : List.of(new ProposeChains(changes.build()));
  }

  /** A member's local state as far as it may be acted upon; null: unknown. */
  private @Nullable LocalState reported(Chain chain, ChainMember member, long nowNanos) {
    Optional<StorageNode> node = state.routing().nodeOf(member.target());
    Life life = node.map(known -> lives.get(known.id())).orElse(null);
    if (life == null || nowNanos - life.heardNanos() > timings.failureNanos()) {
      return nowNanos - graceUntilNanos < 0 ? null : LocalState.OFFLINE;
    }
    TargetReport report = life.reports().get(member.target());
    if (report == null) {
      return LocalState.OFFLINE;
    }
    LocalState whole = RoutingMessages.fromMessage(report.getLocalState());
    if (whole == LocalState.OFFLINE) {
      return LocalState.OFFLINE;
    }
    LocalState local = whole;
    int version = report.getChainVersion();
    for (ChainReport listed : report.getChainsList()) {
      if (listed.getChainId() == chain.id().value()) {
        local = RoutingMessages.fromMessage(listed.getLocalState());
        version = listed.getChainVersion();
      }
    }
    return believed(local, version, member.state(), chain.version().value());
  }

  /**
   * A report speaks of the chain version that its sender acts by. "Complete" counts for a syncing
   * member only if it was said of the present version; "may miss writes" is not held against a
   * serving member that did not know yet that it serves.
   */
  private static @Nullable LocalState believed(
      LocalState local, int version, PublicState now, int present) {
    if (now == PublicState.SYNCING && local == LocalState.UP_TO_DATE && version != present) {
      return LocalState.ONLINE;
    }
    if (now == PublicState.SERVING && local == LocalState.ONLINE && version < present) {
      return null;
    }
    return local;
  }

  private List<ClusterEffect> createTable(CreateTableRequest request, long nowNanos) {
    if (!leader) {
      return refuseTable(ErrorCode.NOT_LEADER, "create table: this member does not lead");
    }
    try {
      List<ChainPlacement.Place> places =
          state.routing().nodes().values().stream()
              .filter(node -> alive(node, nowNanos))
              .flatMap(node ->
                  node.targets().stream()
                      .filter(target -> usable(node, target))
                      .map(target -> new ChainPlacement.Place(target, node.id())))
              .toList();
      var command = AddTable.newBuilder().setReplicas(request.getReplicas());
      int chain = 0;
      for (List<TargetId> members :
          ChainPlacement.place(places, request.getReplicas(), request.getChains())) {
        chain++;
        command.addChains(
            RoutingMessages.toMessage(RoutingMessages.newChain(new ChainId(chain), members)));
      }
      return List.of(new ProposeTable(command.build()));
    } catch (LuciolaException refused) {
      return refuseTable(refused.code(), String.valueOf(refused.getMessage()));
    }
  }

  private static List<ClusterEffect> refuseTable(ErrorCode code, String message) {
    return List.of(
        new RefuseTable(
            CreateTableReply.newBuilder().setCode(code.number()).setMessage(message).build()));
  }

  private boolean alive(StorageNode node, long nowNanos) {
    Life life = lives.get(node.id());
    return life != null && nowNanos - life.heardNanos() <= timings.failureNanos();
  }

  private boolean usable(StorageNode node, TargetId target) {
    Life life = lives.get(node.id());
    TargetReport report = life == null ? null : life.reports().get(target);
    return report != null
        && RoutingMessages.fromMessage(report.getLocalState()) != LocalState.OFFLINE;
  }

  /** Every known node with what it last reported, by number. */
  public List<NodeStatus> nodeStatuses(long nowNanos) {
    var statuses = new ArrayList<NodeStatus>();
    for (StorageNode node : new TreeMap<>(state.routing().nodes()).values()) {
      var status =
          NodeStatus.newBuilder()
              .setNode(RoutingMessages.toMessage(node))
              .setAlive(alive(node, nowNanos));
      Life life = lives.get(node.id());
      if (life != null) {
        status.setHeartbeatAgeNanos(nowNanos - life.heardNanos());
        new TreeMap<>(life.reports()).values().forEach(status::addTargets);
      }
      statuses.add(status.build());
    }
    return statuses;
  }
}
