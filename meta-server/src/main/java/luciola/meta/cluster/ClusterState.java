package luciola.meta.cluster;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableListMultimap;
import com.google.common.collect.ImmutableSortedMap;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.AddChainsReply;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.AddTableReply;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.ChangeChainsReply;
import luciola.grpc.v1.ClusterCounters;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.OperationReply;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredCluster;
import luciola.grpc.v1.StoredNode;
import luciola.grpc.v1.StoredTable;
import luciola.grpc.v1.StoredTarget;
import luciola.grpc.v1.TakeOfficeReply;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;

/**
 * The durable part of the cluster manager, as an immutable value: nodes, targets, chains with what
 * they are to become, tables, settings, and one version of all of it. Every command gives a new
 * value and a reply and depends on nothing but this value and the command; {@link #apply} takes any
 * of them. A command that is refused changes nothing.
 *
 * <p>Every record remembers the version with which it last changed, so that the delta since any
 * version is a filter. Nodes can be removed: who knows a version from before the last removal gets
 * everything.
 */
public final class ClusterState {
  /** The one table there is: files are striped over its newest version. */
  public static final int TABLE = 1;

  /** No cluster yet. */
  public static final ClusterState EMPTY =
      new ClusterState(
          ClusterCounters.getDefaultInstance(),
          ImmutableSortedMap.of(),
          ImmutableSortedMap.of(),
          ImmutableSortedMap.of(),
          ImmutableList.of());

  final ClusterCounters counters;
  final ImmutableSortedMap<Long, StoredNode> nodes;
  final ImmutableSortedMap<Long, StoredTarget> targets;
  final ImmutableSortedMap<Integer, StoredChain> chains;
  final ImmutableList<StoredTable> tables;
  private final Routing routing;
  private final ImmutableListMultimap<TargetId, ChainId> chainsOfTarget;

  /** The state after a command, and what the command is answered. */
  public record Applied<R>(ClusterState state, R reply) {}

  ClusterState(
      ClusterCounters counters,
      ImmutableSortedMap<Long, StoredNode> nodes,
      ImmutableSortedMap<Long, StoredTarget> targets,
      ImmutableSortedMap<Integer, StoredChain> chains,
      ImmutableList<StoredTable> tables) {
    this.counters = counters;
    this.nodes = nodes;
    this.targets = targets;
    this.chains = chains;
    this.tables = tables;
    this.routing = Routing.EMPTY.apply(delta(0));
    var byTarget = ImmutableListMultimap.<TargetId, ChainId>builder();
    routing.chains().values().stream()
        .sorted((a, b) -> a.id().compareTo(b.id()))
        .forEach(
            chain -> chain.members().forEach(member -> byTarget.put(member.target(), chain.id())));
    this.chainsOfTarget = byTarget.build();
  }

  /** The state that these records describe, in any order. */
  public static ClusterState of(Iterable<StoredCluster> records) {
    var change = new ClusterChange(EMPTY);
    for (StoredCluster stored : records) {
      switch (stored.getRecordCase()) {
        case COUNTERS -> change.counters = stored.getCounters().toBuilder();
        case NODE -> change.nodes.put(stored.getNode().getNode().getId(), stored.getNode());
        case TARGET -> change.targets.put(stored.getTarget().getId(), stored.getTarget());
        case CHAIN -> change.chains.put(stored.getChain().getChain().getId(), stored.getChain());
        case TABLE -> change.tables.add(stored.getTable());
        case RECORD_NOT_SET ->
            throw new LuciolaException(
                ErrorCode.FORMAT_TOO_NEW, "cluster record of an unknown kind");
      }
    }
    change.tables.sort(
        (a, b) -> Integer.compare(a.getTable().getVersion(), b.getTable().getVersion()));
    return change.build();
  }

  /** What is to be stored so that {@link #of} gives this state where {@code before} was stored. */
  public List<StoredCluster> changedSince(ClusterState before) {
    var changed = new ArrayList<StoredCluster>();
    if (!counters.equals(before.counters)) {
      changed.add(StoredCluster.newBuilder().setCounters(counters).build());
    }
    nodes.forEach((id, node) -> {
      if (!node.equals(before.nodes.get(id))) {
        changed.add(StoredCluster.newBuilder().setNode(node).build());
      }
    });
    targets.forEach((id, target) -> {
      if (!target.equals(before.targets.get(id))) {
        changed.add(StoredCluster.newBuilder().setTarget(target).build());
      }
    });
    chains.forEach((id, chain) -> {
      if (!chain.equals(before.chains.get(id))) {
        changed.add(StoredCluster.newBuilder().setChain(chain).build());
      }
    });
    tables.stream()
        .skip(before.tables.size())
        .forEach(table -> changed.add(StoredCluster.newBuilder().setTable(table).build()));
    return changed;
  }

  /** Keys of records that {@code before} had and this has not. */
  public List<byte[]> removedSince(ClusterState before) {
    if (counters.getRemovedAt() == before.counters.getRemovedAt()) {
      return List.of();
    }
    var removed = new ArrayList<byte[]>();
    before.nodes.forEach((id, node) -> {
      if (!nodes.containsKey(id)) {
        removed.add(key(StoredCluster.newBuilder().setNode(node).build()));
      }
    });
    before.targets.forEach((id, target) -> {
      if (!targets.containsKey(id)) {
        removed.add(key(StoredCluster.newBuilder().setTarget(target).build()));
      }
    });
    return removed;
  }

  /** The key under which a record is stored: its kind, then its number, big-endian. */
  public static byte[] key(StoredCluster stored) {
    long number =
        switch (stored.getRecordCase()) {
          case COUNTERS, RECORD_NOT_SET -> 0;
          case NODE -> stored.getNode().getNode().getId();
          case TARGET -> stored.getTarget().getId();
          case CHAIN -> stored.getChain().getChain().getId();
          case TABLE -> stored.getTable().getTable().getVersion();
        };
    return ByteBuffer.allocate(9)
        .put((byte) stored.getRecordCase().getNumber())
        .putLong(number)
        .array();
  }

  // What there is.

  /** The cluster's number; 0 before it has one. */
  public long clusterId() {
    return counters.getClusterId();
  }

  /** Where everything is. */
  public Routing routing() {
    return routing;
  }

  /** What operators have set. */
  public ClusterSettings settings() {
    return counters.getSettings();
  }

  /** The table that new files get. */
  public Optional<ChainTable> newestTable() {
    return tables.isEmpty()
        ? Optional.empty()
        : Optional.of(RoutingMessages.fromMessage(tables.getLast().getTable()));
  }

  /** Every version of the table as it is stored, oldest first. */
  public List<StoredTable> tables() {
    return tables;
  }

  /** Every target as it is stored, by number. */
  public List<StoredTarget> targets() {
    return List.copyOf(targets.values());
  }

  /** Whether nothing is to be put on a target: it, or its node, is being drained. */
  public boolean draining(TargetId target) {
    StoredTarget stored = targets.get(target.value());
    StoredNode node = stored == null ? null : nodes.get(stored.getNodeId());
    return (stored != null && stored.getDraining()) || (node != null && node.getDraining());
  }

  /** Whether a node is being drained. */
  public boolean draining(NodeId node) {
    StoredNode stored = nodes.get(node.value());
    return stored != null && stored.getDraining();
  }

  /** Whether an operator has taken a target out of service. */
  public boolean held(TargetId target) {
    StoredTarget stored = targets.get(target.value());
    return stored != null && stored.getHeld();
  }

  /** The members that a chain is to have; empty: those that it has. */
  public Set<TargetId> wanted(ChainId chain) {
    StoredChain stored = chains.get(chain.value());
    var wanted = new HashSet<TargetId>();
    if (stored != null) {
      stored.getWantedList().forEach(target -> wanted.add(new TargetId(target)));
    }
    return wanted;
  }

  /** Chains that are to have other members than they have, by number. */
  public List<ChainPlan> plans() {
    return chains.values().stream()
        .filter(chain -> chain.getWantedCount() > 0)
        .map(chain ->
            ChainPlan.newBuilder()
                .setChainId(chain.getChain().getId())
                .addAllWanted(chain.getWantedList())
                .addAllFormer(chain.getFormerList())
                .build())
        .toList();
  }

  /** What two replicas of a chain must not share. */
  public FailureDomain domain(ChainId chain) {
    StoredChain stored = chains.get(chain.value());
    return stored == null || stored.getFailureDomain() == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
        ? FailureDomain.FAILURE_DOMAIN_HOST
        : stored.getFailureDomain();
  }

  /** How many members a chain was made with. */
  public int replicas(ChainId chain) {
    StoredChain stored = chains.get(chain.value());
    return stored == null
        ? 0
        : stored.getReplicas() > 0 ? stored.getReplicas() : stored.getChain().getMembersCount();
  }

  /** Whether chains were made by this request; never by request 0. */
  public boolean hasChainsOf(long requestId) {
    return requestId != 0
        && chains.values().stream().anyMatch(chain -> chain.getRequestId() == requestId);
  }

  /**
   * What new chains are to be like.
   *
   * @param replicas 0: not said
   */
  public record ChainShape(int replicas, FailureDomain domain) {}

  /**
   * What chains of a table, or of none (0), are to be like.
   *
   * @throws LuciolaException NOT_FOUND, or INVALID_ARGUMENT for another failure domain than its own
   */
  public ChainShape shapeOfChains(int tableId, FailureDomain asked) {
    StoredTable table = tableId == 0 ? null : NewChains.table(this, tableId);
    return new ChainShape(table == null ? 0 : table.getReplicas(), NewChains.domain(table, asked));
  }

  /** Where every known target is. */
  public List<Place> places() {
    return routing.nodes().values().stream()
        .flatMap(node -> Place.of(node).stream())
        .sorted((a, b) -> a.target().compareTo(b.target()))
        .toList();
  }

  /** Chains that a target is a member of, by number. */
  public List<ChainId> chainsOf(TargetId target) {
    return chainsOfTarget.get(target);
  }

  /** The registered life of a node; empty if the node is unknown. */
  public Optional<Long> incarnationOf(NodeId node) {
    return Optional.ofNullable(nodes.get(node.value()))
        .map(stored -> stored.getNode().getIncarnation());
  }

  /** The target with this number from its formatting; empty if there is none. */
  public Optional<StoredTarget> targetByUuid(long uuid) {
    return targets.values().stream().filter(target -> target.getUuid() == uuid).findFirst();
  }

  /**
   * What changed after a version; everything for 0, for a version that is not of this history and
   * for one from before something was removed.
   */
  public RoutingDelta deltaSince(RoutingVersion known) {
    boolean delta =
        known.value() <= counters.getRoutingVersion() && known.value() >= counters.getRemovedAt();
    return delta(delta ? known.value() : 0);
  }

  /** {@link #deltaSince} as it travels. */
  public RoutingUpdate updateSince(long knownVersion) {
    RoutingVersion known = new RoutingVersion(Math.max(0, knownVersion));
    return RoutingMessages.toMessage(deltaSince(known)).toBuilder()
        .setClusterId(clusterId())
        .build();
  }

  private RoutingDelta delta(long known) {
    return new RoutingDelta(
        new RoutingVersion(known),
        new RoutingVersion(counters.getRoutingVersion()),
        known == 0,
        nodes.values().stream()
            .filter(node -> node.getChangedAt() > known)
            .map(node -> RoutingMessages.fromMessage(node.getNode()))
            .toList(),
        chains.values().stream()
            .filter(chain -> chain.getChangedAt() > known)
            .map(chain -> RoutingMessages.fromMessage(chain.getChain()))
            .toList(),
        tables.stream()
            .filter(table -> table.getChangedAt() > known)
            .map(table -> RoutingMessages.fromMessage(table.getTable()))
            .toList());
  }

  // Commands.

  /** Takes any command of the log; one that is not of the cluster changes nothing. */
  public Applied<CommandReply> apply(Command command) {
    var reply = CommandReply.newBuilder();
    ClusterState next =
        switch (command.getCommandCase()) {
          case REGISTER -> {
            Applied<RegisterReply> applied = register(command.getRegister());
            reply.setRegister(applied.reply());
            yield applied.state();
          }
          case CHANGE_CHAINS -> {
            Applied<ChangeChainsReply> applied = changeChains(command.getChangeChains());
            reply.setChangeChains(applied.reply());
            yield applied.state();
          }
          case ADD_TABLE -> {
            Applied<AddTableReply> applied = addTable(command.getAddTable());
            reply.setAddTable(applied.reply());
            yield applied.state();
          }
          case ADD_CHAINS -> {
            Applied<AddChainsReply> applied = addChains(command.getAddChains());
            reply.setAddChains(applied.reply());
            yield applied.state();
          }
          case OPERATION -> {
            Applied<OperationReply> applied = operate(command.getOperation());
            reply.setOperation(applied.reply());
            yield applied.state();
          }
          case TAKE_OFFICE -> {
            Applied<TakeOfficeReply> applied = takeOffice();
            reply.setTakeOffice(applied.reply());
            yield applied.state();
          }
          case INIT_CLUSTER -> {
            reply.setApplied(luciola.grpc.v1.Applied.getDefaultInstance());
            yield initCluster(command.getInitCluster());
          }
          case NAMESPACE,
              COUNT_USAGE,
              REPAIR_NAMESPACE,
              EXPIRE_CLIENTS,
              ACCESS,
              COMMAND_NOT_SET -> {
            reply.setApplied(luciola.grpc.v1.Applied.getDefaultInstance());
            yield this;
          }
        };
    return new Applied<>(next, reply.build());
  }

  /** Number of the member that is the manager; 0 before the first. */
  public long manager() {
    return counters.getManager();
  }

  /** The member that leads becomes the manager. */
  public Applied<TakeOfficeReply> takeOffice() {
    var change = new ClusterChange(this);
    long manager = manager() + 1;
    change.counters.setManager(manager);
    return new Applied<>(change.build(), TakeOfficeReply.newBuilder().setManager(manager).build());
  }

  /** Gives the cluster its number, once. */
  public ClusterState initCluster(InitCluster command) {
    if (clusterId() != 0) {
      return this;
    }
    var change = new ClusterChange(this);
    change.counters.setClusterId(command.getClusterId());
    return change.build();
  }

  /** A server makes itself and its targets known; see {@link Registration}. */
  public Applied<RegisterReply> register(RegisterRequest command) {
    try {
      return Registration.apply(this, command);
    } catch (LuciolaException refused) {
      return new Applied<>(
          this,
          RegisterReply.newBuilder()
              .setCode(refused.code().number())
              .setMessage("register: " + refused.detail())
              .build());
    }
  }

  /** New chains and a new version of the table that consists of them; see {@link NewTable}. */
  public Applied<AddTableReply> addTable(AddTable command) {
    try {
      return NewTable.apply(this, command);
    } catch (LuciolaException | IllegalArgumentException refused) {
      return new Applied<>(
          this,
          AddTableReply.newBuilder()
              .setCode(codeOf(refused).number())
              .setMessage("add table: " + wordsOf(refused))
              .build());
    }
  }

  /** New chains beside those that exist; see {@link NewChains}. */
  public Applied<AddChainsReply> addChains(AddChains command) {
    try {
      return NewChains.apply(this, command);
    } catch (LuciolaException | IllegalArgumentException refused) {
      return new Applied<>(
          this,
          AddChainsReply.newBuilder()
              .setCode(codeOf(refused).number())
              .setMessage("create chain: " + wordsOf(refused))
              .build());
    }
  }

  /** What an operator wants, all of it or nothing; see {@link OperatorChange}. */
  public Applied<OperationReply> operate(Operation command) {
    try {
      return new Applied<>(
          OperatorChange.apply(this, command), OperationReply.getDefaultInstance());
    } catch (LuciolaException | IllegalArgumentException refused) {
      return new Applied<>(
          this,
          OperationReply.newBuilder()
              .setCode(codeOf(refused).number())
              .setMessage(wordsOf(refused))
              .build());
    }
  }

  static String wordsOf(RuntimeException refused) {
    return refused instanceof LuciolaException fault
        ? fault.detail()
        : String.valueOf(refused.getMessage());
  }

  static ErrorCode codeOf(RuntimeException refused) {
    return refused instanceof LuciolaException fault ? fault.code() : ErrorCode.INVALID_ARGUMENT;
  }

  /**
   * The leader's decisions about chains. One whose version is not exactly one more than the present
   * version, or whose members are not those that the chain has and is to have, was decided about an
   * older state and is ignored. A chain that has all the members it is to have needs no plan any
   * more.
   */
  public Applied<ChangeChainsReply> changeChains(ChangeChains command) {
    var change = new ClusterChange(this);
    // A former manager may have seen nothing of the leases that its successor gave.
    boolean inOffice = command.getManager() == manager();
    for (luciola.grpc.v1.Chain next : command.getChainsList()) {
      Chain decided = RoutingMessages.fromMessage(next);
      if (inOffice && permits(decided)) {
        change.chain(next, wanted(decided.id()));
      }
    }
    ClusterState changed = change.build();
    return new Applied<>(
        changed,
        ChangeChainsReply.newBuilder()
            .setRoutingVersion(changed.counters.getRoutingVersion())
            .build());
  }

  /** Whether a chain may be as decided next. */
  public boolean permits(Chain decided) {
    Chain present = routing.chains().get(decided.id());
    return present != null
        && decided.version().value() == present.version().value() + 1
        && ChainMoves.allows(present, decided, wanted(decided.id()))
        && decided.members().stream()
            .allMatch(member -> targets.containsKey(member.target().value()));
  }

  static void check(boolean holds, ErrorCode code, String message) {
    if (!holds) {
      throw new LuciolaException(code, message);
    }
  }

  /** A known target, or a refusal that names it. */
  StoredTarget target(long id) {
    StoredTarget target = targets.get(id);
    check(target != null, ErrorCode.NOT_FOUND, "unknown target=" + id);
    return java.util.Objects.requireNonNull(target);
  }

  /** A known node, or a refusal that names it. */
  StoredNode node(long id) {
    StoredNode node = nodes.get(id);
    check(node != null, ErrorCode.UNKNOWN_NODE, "unknown node=" + id);
    return java.util.Objects.requireNonNull(node);
  }

  /** A known chain, or a refusal that names it. */
  StoredChain chain(int id) {
    StoredChain chain = chains.get(id);
    check(chain != null, ErrorCode.NOT_FOUND, "unknown chain=" + Integer.toUnsignedString(id));
    return java.util.Objects.requireNonNull(chain);
  }

  /** Where each known target is, by number. */
  Map<TargetId, Place> placeByTarget() {
    var byTarget = new java.util.HashMap<TargetId, Place>();
    places().forEach(place -> byTarget.put(place.target(), place));
    return byTarget;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ClusterState state
        && counters.equals(state.counters)
        && nodes.equals(state.nodes)
        && targets.equals(state.targets)
        && chains.equals(state.chains)
        && tables.equals(state.tables);
  }

  @Override
  public int hashCode() {
    return counters.hashCode();
  }
}
