package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.SlowDiskPolicy;
import luciola.grpc.v1.TargetStatus;
import luciola.meta.cluster.ClusterEffect.AnswerHeartbeat;
import luciola.meta.cluster.ClusterEffect.Propose;
import luciola.meta.cluster.ClusterEffect.ProposeChains;
import luciola.meta.cluster.ClusterEffect.Refuse;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.StorageNode;

/**
 * What the leader of the meta-servers knows of the living cluster, and what it decides about
 * chains. All of it is soft state: a new leader starts with none. One owner thread.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A target loses its place on a chain's write path only if its own server said that it does
 *       not serve, or has learned of a version in which it does not, or if the server was silent
 *       for the failure time; then every lease it was granted has ended.
 *   <li>While a change that takes a serving target off the write path may be on its way through the
 *       log, its server is granted no lease: it could not know of the change yet.
 *   <li>For one failure time after becoming leader, and after a pause of this process itself,
 *       silence is not held against anyone.
 *   <li>A report of another life of a server than the registered one, or one overtaken by a newer,
 *       has no effect.
 *   <li>At most {@code moves-max} chains change their members at the same time.
 * </ul>
 *
 * <p>Time is monotonic nanoseconds given with each event; differences only.
 */
public final class ClusterManager {
  private final ClusterTimings timings;
  private final int syncingMax;
  private final Lives lives;
  private final BrokenLinks links;
  private final SlowDisks slowDisks = new SlowDisks();
  private final AutoReplace autoReplace = new AutoReplace();
  private final Reopenings reopenings = new Reopenings();

  /** Decided, not yet seen applied. Each stays until the chain has that version. */
  private final Map<ChainId, Proposal> proposals = new TreeMap<>();

  private boolean leader;
  private ClusterState state = ClusterState.EMPTY;
  private Policy policy;
  private List<TargetId> slow = List.of();
  private long office;
  private long leaderSinceNanos;
  private long graceUntilNanos;
  private long lastTickNanos;

  private record Proposal(Chain chain, long madeNanos) {}

  /**
   * @param syncingMax how many members of one chain may be filled at the same time unless operators
   *     set otherwise, 1 or more
   */
  public ClusterManager(ClusterTimings timings, int syncingMax) {
    if (syncingMax < 1) {
      throw new IllegalArgumentException("syncingMax must be positive: syncingMax=" + syncingMax);
    }
    this.timings = timings;
    this.syncingMax = syncingMax;
    this.lives = new Lives(timings);
    this.links = new BrokenLinks(timings);
    this.policy = Policy.of(state.settings(), syncingMax);
  }

  /** Takes one event and says what is to be done. */
  public List<ClusterEffect> step(ClusterEvent event, long nowNanos) {
    return switch (event) {
      case ClusterEvent.BecameLeader(ClusterState applied) -> becomeLeader(applied, nowNanos);
      case ClusterEvent.LostLeadership() -> stepDown();
      case ClusterEvent.StateChanged(ClusterState applied) -> stateChanged(applied, nowNanos);
      case ClusterEvent.Heartbeat(HeartbeatRequest request) -> heartbeat(request, nowNanos);
      case ClusterEvent.Register(RegisterRequest request) -> register(request, nowNanos);
      case ClusterEvent.CreateTable(CreateTableRequest request) ->
          asked("create table", () -> rules(nowNanos).table(request));
      case ClusterEvent.CreateChains(AddChains chains) ->
          asked("create chain", () -> rules(nowNanos).chains(chains));
      case ClusterEvent.Operate(Operation operation) -> operate(operation, nowNanos);
      case ClusterEvent.Tick() -> tick(nowNanos);
    };
  }

  /** Whether the last word of the log was that this member leads. */
  public boolean leads() {
    return leader;
  }

  private List<ClusterEffect> becomeLeader(ClusterState applied, long nowNanos) {
    leader = true;
    office = applied.manager();
    take(applied);
    forgetAll();
    leaderSinceNanos = nowNanos;
    graceUntilNanos = nowNanos + timings.failureNanos();
    lastTickNanos = nowNanos;
    return List.of();
  }

  private List<ClusterEffect> stepDown() {
    leader = false;
    forgetAll();
    return List.of();
  }

  private void forgetAll() {
    lives.clear();
    proposals.clear();
    links.clear();
    slowDisks.clear();
    autoReplace.clear();
    reopenings.clear();
    slow = List.of();
  }

  private void take(ClusterState applied) {
    state = applied;
    policy = Policy.of(applied.settings(), syncingMax);
  }

  private List<ClusterEffect> stateChanged(ClusterState applied, long nowNanos) {
    ClusterState before = state;
    take(applied);
    if (!leader) {
      return List.of();
    }
    if (applied.manager() != office) {
      return stepDown();
    }
    lives.forget(applied.routing());
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
        lives.begin(node, nowNanos);
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
    proposeAgain(nowNanos).ifPresent(effects::add);
    findSlow(nowNanos);
    links.tick(state.routing(), lives, nowNanos);
    effects.addAll(scan(state.routing().chains().keySet(), nowNanos));
    autoReplace
        .tick(state, lives, rules(nowNanos), policy, inGrace(nowNanos), nowNanos)
        .map(operation -> new Propose(Command.newBuilder().setOperation(operation).build()))
        .ifPresent(effects::add);
    return effects;
  }

  /** What may have been lost on its way; not what operators have changed their minds about. */
  private Optional<ClusterEffect> proposeAgain(long nowNanos) {
    proposals.values().removeIf(proposal -> !state.permits(proposal.chain()));
    var again = ChangeChains.newBuilder().setManager(office);
    proposals.replaceAll((_, proposal) -> {
      if (nowNanos - proposal.madeNanos() < timings.heartbeatNanos()) {
        return proposal;
      }
      again.addChains(RoutingMessages.toMessage(proposal.chain()));
      return new Proposal(proposal.chain(), nowNanos);
    });
    return again.getChainsCount() == 0
        ? Optional.empty()
        : Optional.of(new ProposeChains(again.build()));
  }

  private void findSlow(long nowNanos) {
    if (policy.slowDisks() == SlowDiskPolicy.SLOW_DISK_POLICY_OFF) {
      slowDisks.clear();
      slow = List.of();
    } else {
      slowDisks.tick(state.routing(), lives, policy, nowNanos);
      slow = slowDisks.slow(state.targets().size());
    }
  }

  private boolean inGrace(long nowNanos) {
    return nowNanos - graceUntilNanos < 0;
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
    if (lives.overtaken(node.get().id(), request)) {
      return refuse(
          ErrorCode.CANCELLED,
          "heartbeat: overtaken by a newer one: sequence=" + request.getSequence());
    }
    lives.heard(node.get().id(), request, nowNanos);
    var touched = new LinkedHashSet<ChainId>();
    node.get().targets().forEach(target -> touched.addAll(state.chainsOf(target)));
    var effects = new ArrayList<>(scan(touched, nowNanos));
    effects.add(
        new AnswerHeartbeat(
            HeartbeatReply.newBuilder()
                .setLeaseNanos(mayLoseServing(node.get()) ? 0 : timings.leaseNanos())
                .setRouting(state.updateSince(request.getRoutingVersion()))
                .setSettings(policy.forServers())
                .addAllReopenTargets(reopenings.told(node.get()))
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
                .anyMatch(target ->
                    node.targets().contains(target) && !next.writePath().contains(target)));
  }

  private List<ClusterEffect> register(RegisterRequest request, long nowNanos) {
    return asked(
        "register",
        () -> {
          boolean newLeader = nowNanos - leaderSinceNanos < 3 * timings.heartbeatNanos();
          Optional<String> conflict =
              Registration.conflict(state, lives, newLeader, request, nowNanos);
          if (conflict.isPresent()) {
            throw new LuciolaException(ErrorCode.IDENTITY_IN_USE, conflict.get());
          }
          return Command.newBuilder().setRegister(request).build();
        });
  }

  private List<ClusterEffect> asked(String what, Supplier<Command> command) {
    if (!leader) {
      return List.of(new Refuse(ErrorCode.NOT_LEADER, what + ": this member does not lead"));
    }
    try {
      return List.of(new Propose(command.get()));
    } catch (LuciolaException | IllegalArgumentException refused) {
      return List.of(new Refuse(ClusterState.codeOf(refused), ClusterState.wordsOf(refused)));
    }
  }

  private List<ClusterEffect> operate(Operation operation, long nowNanos) {
    List<ClusterEffect> effects = asked("operation", () -> rules(nowNanos).operation(operation));
    if (effects.stream().allMatch(Propose.class::isInstance)) {
      reopenings.wish(operation.getReopenTargetsList());
    }
    return effects;
  }

  private OperatorRules rules(long nowNanos) {
    return new OperatorRules(state, lives, slow, nowNanos);
  }

  // Chains.

  private List<ClusterEffect> scan(Collection<ChainId> chains, long nowNanos) {
    var changes = ChangeChains.newBuilder().setManager(office);
    Map<TargetId, Integer> out = out();
    int moving = -1;
    for (ChainId id : chains) {
      Chain chain = state.routing().chains().get(id);
      if (chain == null || proposals.containsKey(id)) {
        continue;
      }
      MemberReports reports = lives.of(state.routing(), chain, inGrace(nowNanos), nowNanos);
      Set<TargetId> wanted = state.wanted(id);
      Set<TargetId> addable = Set.of();
      if (!wanted.isEmpty()) {
        moving = moving < 0 ? moving() : moving;
        boolean begun = begun(chain, wanted);
        if (begun || moving < policy.movesMax()) {
          addable = addable(chain, wanted, nowNanos);
          moving += begun || addable.isEmpty() ? 0 : 1;
        }
      }
      Chain next =
          ChainMoves.next(
              chain,
              reports,
              new MemberWishes(wanted, addable, out(id, out)),
              policy.syncingPerChain(),
              this::mayFill);
      if (!next.equals(chain)) {
        proposals.put(id, new Proposal(next, nowNanos));
        changes.addChains(RoutingMessages.toMessage(next));
      }
    }
    return changes.getChainsCount() == 0 ? List.of() : List.of(new ProposeChains(changes.build()));
  }

  /** Members that are not to serve, with how many others must. */
  private Map<TargetId, Integer> out() {
    var out = new HashMap<TargetId, Integer>();
    if (policy.slowDisks() == SlowDiskPolicy.SLOW_DISK_POLICY_DEMOTE) {
      slow.forEach(target -> out.put(target, 2));
    }
    state.targets().stream()
        .filter(target -> target.getHeld())
        .forEach(target -> out.put(new TargetId(target.getId()), 1));
    return out;
  }

  /** The same and those that others of the chain cannot reach. */
  private Map<TargetId, Integer> out(ChainId chain, Map<TargetId, Integer> anyway) {
    Set<TargetId> cut = links.out(chain);
    if (cut.isEmpty()) {
      return anyway;
    }
    var out = new HashMap<>(anyway);
    cut.forEach(target -> out.put(target, 1));
    return out;
  }

  /** Whether a chain has begun to move: what it is to have, it has. */
  private static boolean begun(Chain chain, Set<TargetId> wanted) {
    return wanted.stream().allMatch(target -> chain.stateOf(target).isPresent());
  }

  /** Chains that are moving, those included that are about to. */
  private int moving() {
    return (int)
        state.plans().stream()
            .map(plan -> new ChainId(plan.getChainId()))
            .filter(id -> {
              Proposal proposal = proposals.get(id);
              Chain chain = proposal != null ? proposal.chain() : state.routing().chains().get(id);
              return chain != null && begun(chain, state.wanted(id));
            })
            .count();
  }

  private Set<TargetId> addable(Chain chain, Set<TargetId> wanted, long nowNanos) {
    var addable = new HashSet<TargetId>();
    for (TargetId target : wanted) {
      if (chain.stateOf(target).isEmpty()
          && lives.usable(state.routing(), target, nowNanos)
          && mayFill(target)) {
        addable.add(target);
      }
    }
    return addable;
  }

  /** Whether one chain more may be filled into a target. */
  private boolean mayFill(TargetId target) {
    int filled = 0;
    for (ChainId id : state.chainsOf(target)) {
      Proposal proposal = proposals.get(id);
      Chain chain = proposal != null ? proposal.chain() : state.routing().chains().get(id);
      filled +=
          chain != null && chain.stateOf(target).filter(PublicState.SYNCING::equals).isPresent()
              ? 1
              : 0;
    }
    return filled < policy.syncingPerTarget();
  }

  // What operators see.

  /** Targets that may take replicas. */
  public List<Place> eligible(long nowNanos) {
    return rules(nowNanos).eligible();
  }

  /** Every known node with what it last reported, by number. */
  public List<NodeStatus> nodeStatuses(long nowNanos) {
    var statuses = new ArrayList<NodeStatus>();
    for (StorageNode node : new TreeMap<>(state.routing().nodes()).values()) {
      var status =
          NodeStatus.newBuilder()
              .setNode(RoutingMessages.toMessage(node))
              .setAlive(lives.alive(node.id(), nowNanos))
              .setDraining(state.draining(node.id()));
      lives.ageNanos(node.id(), nowNanos).ifPresent(status::setHeartbeatAgeNanos);
      new TreeMap<>(lives.reports(node.id())).values().forEach(status::addTargets);
      statuses.add(status.build());
    }
    return statuses;
  }

  /** Every known target with what is held against it, by number. */
  public List<TargetStatus> targetStatuses(long nowNanos) {
    return state.targets().stream()
        .map(target -> {
          TargetId id = new TargetId(target.getId());
          Optional<String> slowReason = slowDisks.reason(id);
          boolean alive =
              target.getNodeId() > 0 && lives.alive(new NodeId(target.getNodeId()), nowNanos);
          String error =
              lives.report(state.routing(), id).map(report -> report.getError()).orElse("");
          return TargetStatus.newBuilder()
              .setTargetId(target.getId())
              .setNodeId(target.getNodeId())
              .setUuid(target.getUuid())
              .setDisk(target.getDisk())
              .setCapacityBytes(target.getCapacityBytes())
              .setDraining(state.draining(id))
              .setHeld(target.getHeld())
              .setSlow(slowReason.isPresent())
              .setReason(
                  !alive
                      ? "its server is silent"
                      : !error.isEmpty()
                          ? error
                          : slowReason
                              .or(() -> links.reason(new NodeId(target.getNodeId())))
                              .orElse(target.getHeld() ? "taken out by an operator" : ""))
              .build();
        })
        .toList();
  }
}
