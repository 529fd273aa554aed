package luciola.meta.cluster;

import static luciola.meta.cluster.ClusterState.check;

import java.util.HashSet;
import java.util.Optional;
import luciola.grpc.v1.Node;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.StoredNode;
import luciola.grpc.v1.StoredTarget;
import luciola.grpc.v1.TargetRegistration;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.Incarnation;
import luciola.protocol.id.NodeId;

/**
 * A server makes itself and its targets known. The same registration again gives the same numbers:
 * a node is known by its number, else by a target it brings, else by its incarnation; a target by
 * its uuid. A target that another node had moves here.
 *
 * <p>A new life counts its node out at once: the former one is dead. So a registration of an
 * earlier life than the one known, sent long ago or sent twice, is refused: it would count the
 * living one out while that may still serve.
 *
 * <p>Whether the former server of an identity still lives is not known to the durable state: {@link
 * #conflict} asks the leader's soft state before the registration goes into the log.
 */
final class Registration {
  private Registration() {}

  static ClusterState.Applied<RegisterReply> apply(ClusterState state, RegisterRequest command) {
    check(
        command.getClusterId() == 0 || command.getClusterId() == state.clusterId(),
        ErrorCode.WRONG_CLUSTER,
        "the server belongs to another cluster: cluster="
            + Long.toHexString(command.getClusterId())
            + " here="
            + Long.toHexString(state.clusterId()));
    check(command.getIncarnation() != 0, ErrorCode.INVALID_ARGUMENT, "incarnation=0");
    var uuids = new HashSet<Long>();
    for (TargetRegistration target : command.getTargetsList()) {
      check(
          target.getUuid() != 0 && uuids.add(target.getUuid()),
          ErrorCode.INVALID_ARGUMENT,
          "target uuid is 0 or twice: uuid=" + Long.toHexString(target.getUuid()));
    }
    var change = new ClusterChange(state);
    long nodeId = nodeIdFor(state, command);
    StoredNode former = state.nodes.get(nodeId);
    check(
        former == null
            || !Incarnation.isBefore(command.getIncarnation(), former.getNode().getIncarnation()),
        ErrorCode.CANCELLED,
        "register: a later life of this server has registered: node=" + nodeId);
    if (nodeId == 0) {
      nodeId = change.counters.getNodeLast() + 1;
      change.counters.setNodeLast(nodeId);
    }
    var reply = RegisterReply.newBuilder().setNodeId(nodeId);
    for (TargetRegistration target : command.getTargetsList()) {
      reply.addTargetIds(target(state, change, target, nodeId));
    }
    Node node =
        Node.newBuilder()
            .setId(nodeId)
            .setAddress(command.getAddress())
            .putAllLabels(command.getLabelsMap())
            .setIncarnation(command.getIncarnation())
            .build();
    var _ = RoutingMessages.fromMessage(node);
    StoredNode.Builder stored =
        state.nodes.getOrDefault(nodeId, StoredNode.getDefaultInstance()).toBuilder();
    change.node(
        stored.setNode(node).clearOwnLabels().putAllOwnLabels(command.getLabelsMap()).build());
    return new ClusterState.Applied<>(change.build(), reply.build());
  }

  private static boolean isOvertaken(StoredNode known, RegisterRequest command) {
    return Incarnation.isBefore(command.getIncarnation(), known.getNode().getIncarnation());
  }

  private static long nodeIdFor(ClusterState state, RegisterRequest command) {
    if (command.getNodeId() != 0) {
      check(
          state.nodes.containsKey(command.getNodeId()),
          ErrorCode.UNKNOWN_NODE,
          "node="
              + command.getNodeId()
              + " is not of cluster="
              + Long.toHexString(state.clusterId()));
      return command.getNodeId();
    }
    for (TargetRegistration asked : command.getTargetsList()) {
      Optional<StoredTarget> known = state.targetByUuid(asked.getUuid());
      if (known.isPresent()) {
        return known.get().getNodeId();
      }
    }
    return state.nodes.values().stream()
        .filter(node -> node.getNode().getIncarnation() == command.getIncarnation())
        .map(node -> node.getNode().getId())
        .findFirst()
        .orElse(0L);
  }

  private static long target(
      ClusterState state, ClusterChange change, TargetRegistration asked, long nodeId) {
    StoredTarget known = state.targetByUuid(asked.getUuid()).orElse(null);
    check(
        asked.getTargetId() == 0 || (known != null && known.getId() == asked.getTargetId()),
        ErrorCode.WRONG_CLUSTER,
        "target=" + asked.getTargetId() + " is not of this cluster: disk=" + asked.getDisk());
    long id = known == null ? change.counters.getTargetLast() + 1 : known.getId();
    if (known == null) {
      change.counters.setTargetLast(id);
    }
    StoredTarget.Builder stored = known == null ? StoredTarget.newBuilder() : known.toBuilder();
    change.targets.put(
        id,
        stored
            .setId(id)
            .setUuid(asked.getUuid())
            .setNodeId(nodeId)
            .setDisk(asked.getDisk())
            .setCapacityBytes(asked.getCapacityBytes())
            .build());
    if (known != null && known.getNodeId() != nodeId) {
      StoredNode former = change.nodes.get(known.getNodeId());
      if (former != null) {
        change.node(former);
      }
    }
    return id;
  }

  /**
   * Why a registration must not be applied now: another server with the same identity, or with the
   * same target, still lives. A server that was killed and comes back elsewhere waits for a few
   * heartbeats that do not come; one that comes back at its address does not.
   */
  static Optional<String> conflict(
      ClusterState state, Lives lives, boolean newLeader, RegisterRequest command, long nowNanos) {
    StoredNode same = state.nodes.get(command.getNodeId());
    if (same != null && isOvertaken(same, command)) {
      // Not for now: it is refused for good where it is applied.
      return Optional.empty();
    }
    if (same != null
        && same.getNode().getIncarnation() != command.getIncarnation()
        && !same.getNode().getAddress().equals(command.getAddress())
        && (newLeader || lives.beats(new NodeId(command.getNodeId()), nowNanos))) {
      return Optional.of(
          "register: a server with this identity is alive: node="
              + command.getNodeId()
              + " at="
              + same.getNode().getAddress()
              + " asked_from="
              + command.getAddress()
              + "; two servers must not share a data directory or a copy of it");
    }
    for (TargetRegistration asked : command.getTargetsList()) {
      StoredTarget known = state.targetByUuid(asked.getUuid()).orElse(null);
      if (known == null
          || command.getNodeId() == 0
          || known.getNodeId() == command.getNodeId()
          || !state.nodes.containsKey(known.getNodeId())) {
        continue;
      }
      NodeId former = new NodeId(known.getNodeId());
      if (newLeader || lives.beats(former, nowNanos)) {
        return Optional.of(
            "register: the target belongs to another server that is alive: target="
                + known.getId()
                + " node="
                + known.getNodeId()
                + " asked_by="
                + command.getNodeId()
                + " disk="
                + asked.getDisk()
                + "; stop that server first");
      }
    }
    return Optional.empty();
  }
}
