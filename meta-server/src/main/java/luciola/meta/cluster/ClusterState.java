package luciola.meta.cluster;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableListMultimap;
import com.google.common.collect.ImmutableSortedMap;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.AddTableReply;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.ChangeChainsReply;
import luciola.grpc.v1.ClusterCounters;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.Node;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredCluster;
import luciola.grpc.v1.StoredNode;
import luciola.grpc.v1.StoredTable;
import luciola.grpc.v1.StoredTarget;
import luciola.grpc.v1.TargetRegistration;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;

/**
 * The durable part of the cluster manager, as an immutable value: nodes, targets, chains, tables
 * and one version of all of it. Every command gives a new value and a reply and depends on nothing
 * but this value and the command.
 *
 * <p>Every record remembers the version with which it last changed, so that the delta since any
 * version is a filter and never too old to be built. (Nothing is removed yet; removal will need a
 * floor below which only full copies are given.)
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

  private final ClusterCounters counters;
  private final ImmutableSortedMap<Long, StoredNode> nodes;
  private final ImmutableSortedMap<Long, StoredTarget> targets;
  private final ImmutableSortedMap<Integer, StoredChain> chains;
  private final ImmutableList<StoredTable> tables;
  private final Routing routing;
  private final ImmutableListMultimap<TargetId, ChainId> chainsOfTarget;

  /** The state after a command, and what the command is answered. */
  public record Applied<R>(ClusterState state, R reply) {}

  private ClusterState(
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
    var change = new Change(EMPTY);
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

  /** The cluster's number; 0 before it has one. */
  public long clusterId() {
    return counters.getClusterId();
  }

  /** Where everything is. */
  public Routing routing() {
    return routing;
  }

  /** The table that new files get. */
  public Optional<ChainTable> newestTable() {
    return tables.isEmpty()
        ? Optional.empty()
        : Optional.of(RoutingMessages.fromMessage(tables.getLast().getTable()));
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

  /** What changed after a version; everything for 0 or a version that is not of this history. */
  public RoutingDelta deltaSince(RoutingVersion known) {
    return delta(known.value() > counters.getRoutingVersion() ? 0 : known.value());
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

  /** Gives the cluster its number, once. */
  public ClusterState initCluster(InitCluster command) {
    if (clusterId() != 0) {
      return this;
    }
    var change = new Change(this);
    change.counters.setClusterId(command.getClusterId());
    return change.build();
  }

  /**
   * A server makes itself and its targets known. The same registration again gives the same
   * numbers: a node is known by its number, else by a target it brings, else by its incarnation; a
   * target by its uuid. A target that another node had moves here.
   */
  public Applied<RegisterReply> register(RegisterRequest command) {
    try {
      return registered(command);
    } catch (LuciolaException refused) {
      return new Applied<>(
          this,
          RegisterReply.newBuilder()
              .setCode(refused.code().number())
              .setMessage("register: " + refused.getMessage())
              .build());
    }
  }

  private Applied<RegisterReply> registered(RegisterRequest command) {
    check(
        command.getClusterId() == 0 || command.getClusterId() == clusterId(),
        ErrorCode.WRONG_CLUSTER,
        "cluster=" + Long.toHexString(command.getClusterId()));
    check(command.getIncarnation() != 0, ErrorCode.INVALID_ARGUMENT, "incarnation=0");
    var uuids = new HashSet<Long>();
    for (TargetRegistration target : command.getTargetsList()) {
      check(
          target.getUuid() != 0 && uuids.add(target.getUuid()),
          ErrorCode.INVALID_ARGUMENT,
          "target uuid is 0 or twice: uuid=" + Long.toHexString(target.getUuid()));
    }
    var change = new Change(this);
    long nodeId = nodeIdFor(command);
    if (nodeId == 0) {
      nodeId = change.counters.getNodeLast() + 1;
      change.counters.setNodeLast(nodeId);
    }
    var reply = RegisterReply.newBuilder().setNodeId(nodeId);
    for (TargetRegistration target : command.getTargetsList()) {
      reply.addTargetIds(change.target(target, nodeId));
    }
    Node node =
        Node.newBuilder()
            .setId(nodeId)
            .setAddress(command.getAddress())
            .putAllLabels(command.getLabelsMap())
            .setIncarnation(command.getIncarnation())
            .build();
    var _ = RoutingMessages.fromMessage(node);
    change.node(node);
    return new Applied<>(change.build(), reply.build());
  }

  private long nodeIdFor(RegisterRequest command) {
    if (command.getNodeId() != 0) {
      check(
          nodes.containsKey(command.getNodeId()),
          ErrorCode.UNKNOWN_NODE,
          "node=" + command.getNodeId() + " is not of cluster=" + Long.toHexString(clusterId()));
      return command.getNodeId();
    }
    for (TargetRegistration asked : command.getTargetsList()) {
      for (StoredTarget known : targets.values()) {
        if (known.getUuid() == asked.getUuid()) {
          return known.getNodeId();
        }
      }
    }
    return nodes.values().stream()
        .filter(node -> node.getNode().getIncarnation() == command.getIncarnation())
        .map(node -> node.getNode().getId())
        .findFirst()
        .orElse(0L);
  }

  /** New chains, all members serving, and a new version of the table that consists of them. */
  public Applied<AddTableReply> addTable(AddTable command) {
    try {
      check(command.getChainsCount() > 0, ErrorCode.INVALID_ARGUMENT, "no chains");
      var change = new Change(this);
      var table = luciola.grpc.v1.ChainTable.newBuilder().setId(TABLE);
      table.setVersion(tables.isEmpty() ? 1 : tables.getLast().getTable().getVersion() + 1);
      for (luciola.grpc.v1.Chain asked : command.getChainsList()) {
        int id = change.counters.getChainLast() + 1;
        change.counters.setChainLast(id);
        List<TargetId> members =
            asked.getMembersList().stream()
                .map(member -> new TargetId(member.getTargetId()))
                .toList();
        for (TargetId member : members) {
          check(
              targets.containsKey(member.value()),
              ErrorCode.INVALID_ARGUMENT,
              "unknown target=" + member);
        }
        Chain chain = RoutingMessages.newChain(new ChainId(id), members);
        change.chain(RoutingMessages.toMessage(chain));
        table.addChains(id);
      }
      change.tables.add(
          StoredTable.newBuilder()
              .setTable(table)
              .setReplicas(command.getReplicas())
              .setChangedAt(change.bumped())
              .build());
      return new Applied<>(
          change.build(),
          AddTableReply.newBuilder().setTableId(TABLE).setTableVersion(table.getVersion()).build());
    } catch (LuciolaException | IllegalArgumentException refused) {
      ErrorCode code =
          refused instanceof LuciolaException fault ? fault.code() : ErrorCode.INVALID_ARGUMENT;
      return new Applied<>(
          this,
          AddTableReply.newBuilder()
              .setCode(code.number())
              .setMessage("add table: " + refused.getMessage())
              .build());
    }
  }

  /**
   * The leader's decisions about chains. One whose version is not exactly one more than the present
   * version, or whose members are others, was decided about an older state and is ignored.
   */
  public Applied<ChangeChainsReply> changeChains(ChangeChains command) {
    var change = new Change(this);
    for (luciola.grpc.v1.Chain next : command.getChainsList()) {
      Chain present = routing.chains().get(new ChainId(next.getId()));
      if (present != null
          && next.getVersion() == present.version().value() + 1
          && sameMembers(present, RoutingMessages.fromMessage(next))) {
        change.chain(next);
      }
    }
    ClusterState changed = change.build();
    return new Applied<>(
        changed,
        ChangeChainsReply.newBuilder()
            .setRoutingVersion(changed.counters.getRoutingVersion())
            .build());
  }

  private static boolean sameMembers(Chain a, Chain b) {
    return a.members().stream()
        .map(ChainMember::target)
        .sorted()
        .toList()
        .equals(b.members().stream().map(ChainMember::target).sorted().toList());
  }

  private static void check(boolean holds, ErrorCode code, String message) {
    if (!holds) {
      throw new LuciolaException(code, message);
    }
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

  /** A state being changed. The routing version grows once, with the first change of routing. */
  private static final class Change {
    private final ClusterState before;
    private ClusterCounters.Builder counters;
    private final TreeMap<Long, StoredNode> nodes;
    private final TreeMap<Long, StoredTarget> targets;
    private final TreeMap<Integer, StoredChain> chains;
    private final ArrayList<StoredTable> tables;

    Change(ClusterState before) {
      this.before = before;
      this.counters = before.counters.toBuilder();
      this.nodes = new TreeMap<>(before.nodes);
      this.targets = new TreeMap<>(before.targets);
      this.chains = new TreeMap<>(before.chains);
      this.tables = new ArrayList<>(before.tables);
    }

    long bumped() {
      counters.setRoutingVersion(before.counters.getRoutingVersion() + 1);
      return counters.getRoutingVersion();
    }

    long target(TargetRegistration asked, long nodeId) {
      StoredTarget known =
          targets.values().stream()
              .filter(target -> target.getUuid() == asked.getUuid())
              .findFirst()
              .orElse(null);
      check(
          asked.getTargetId() == 0 || (known != null && known.getId() == asked.getTargetId()),
          ErrorCode.WRONG_CLUSTER,
          "target=" + asked.getTargetId() + " is not of this cluster: disk=" + asked.getDisk());
      long id = known == null ? counters.getTargetLast() + 1 : known.getId();
      if (known == null) {
        counters.setTargetLast(id);
      }
      targets.put(
          id,
          StoredTarget.newBuilder()
              .setId(id)
              .setUuid(asked.getUuid())
              .setNodeId(nodeId)
              .setDisk(asked.getDisk())
              .setCapacityBytes(asked.getCapacityBytes())
              .build());
      if (known != null && known.getNodeId() != nodeId) {
        StoredNode former = nodes.get(known.getNodeId());
        if (former != null) {
          node(former.getNode());
        }
      }
      return id;
    }

    /** Stores a node with the targets that are its own now. */
    void node(Node asked) {
      Node node =
          asked.toBuilder()
              .clearTargets()
              .addAllTargets(
                  targets.values().stream()
                      .filter(target -> target.getNodeId() == asked.getId())
                      .map(StoredTarget::getId)
                      .toList())
              .build();
      StoredNode known = nodes.get(node.getId());
      if (known == null || !known.getNode().equals(node)) {
        nodes.put(
            node.getId(), StoredNode.newBuilder().setNode(node).setChangedAt(bumped()).build());
      }
    }

    void chain(luciola.grpc.v1.Chain chain) {
      chains.put(
          chain.getId(), StoredChain.newBuilder().setChain(chain).setChangedAt(bumped()).build());
    }

    ClusterState build() {
      return new ClusterState(
          counters.build(),
          ImmutableSortedMap.copyOf(nodes),
          ImmutableSortedMap.copyOf(targets),
          ImmutableSortedMap.copyOf(chains),
          ImmutableList.copyOf(tables));
    }
  }
}
