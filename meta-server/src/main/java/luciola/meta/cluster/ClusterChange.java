package luciola.meta.cluster;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.ImmutableSortedMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import luciola.grpc.v1.Chain;
import luciola.grpc.v1.ClusterCounters;
import luciola.grpc.v1.Node;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredNode;
import luciola.grpc.v1.StoredTable;
import luciola.grpc.v1.StoredTarget;
import luciola.protocol.id.TargetId;

/** A state being changed. The routing version grows once, with the first change of routing. */
final class ClusterChange {
  private final ClusterState before;
  ClusterCounters.Builder counters;
  final TreeMap<Long, StoredNode> nodes;
  final TreeMap<Long, StoredTarget> targets;
  final TreeMap<Integer, StoredChain> chains;
  final ArrayList<StoredTable> tables;

  ClusterChange(ClusterState before) {
    this.before = before;
    this.counters = before.counters.toBuilder();
    this.nodes = new TreeMap<>(before.nodes);
    this.targets = new TreeMap<>(before.targets);
    this.chains = new TreeMap<>(before.chains);
    this.tables = new ArrayList<>(before.tables);
  }

  /** The version of this change. */
  long bumped() {
    counters.setRoutingVersion(before.counters.getRoutingVersion() + 1);
    return counters.getRoutingVersion();
  }

  /** Something of the routing goes: deltas from before are not to be had any more. */
  void removed() {
    counters.setRemovedAt(bumped());
  }

  /** Stores a node with the targets that are its own now and its labels in force. */
  void node(StoredNode asked) {
    Map<String, String> labels = new HashMap<>(asked.getOwnLabelsMap());
    asked
        .getLabelsMap()
        .forEach((name, value) -> {
          if (value.isEmpty()) {
            labels.remove(name);
          } else {
            labels.put(name, value);
          }
        });
    Node node =
        asked.getNode().toBuilder()
            .clearTargets()
            .addAllTargets(
                targets.values().stream()
                    .filter(target -> target.getNodeId() == asked.getNode().getId())
                    .map(StoredTarget::getId)
                    .toList())
            .clearLabels()
            .putAllLabels(labels)
            .build();
    StoredNode known = nodes.get(node.getId());
    nodes.put(
        node.getId(),
        asked.toBuilder()
            .setNode(node)
            .setChangedAt(
                known != null && known.getNode().equals(node) ? known.getChangedAt() : bumped())
            .build());
  }

  /** Stores a chain as it is next; its plan ends when it has the wanted members. */
  void chain(Chain chain, Set<TargetId> wanted) {
    StoredChain.Builder stored =
        chains.getOrDefault(chain.getId(), StoredChain.getDefaultInstance()).toBuilder();
    Set<TargetId> members = new HashSet<>();
    chain.getMembersList().forEach(member -> members.add(new TargetId(member.getTargetId())));
    if (members.equals(wanted)) {
      stored.clearWanted().clearFormer();
    }
    chains.put(chain.getId(), stored.setChain(chain).setChangedAt(bumped()).build());
  }

  /** Sets what a chain is to become; the same members again end its plan. */
  void plan(int chain, List<Long> wanted) {
    StoredChain stored = chains.getOrDefault(chain, StoredChain.getDefaultInstance());
    List<Long> members =
        stored.getChain().getMembersList().stream().map(member -> member.getTargetId()).toList();
    StoredChain.Builder next = stored.toBuilder().clearWanted();
    if (ImmutableSet.copyOf(members).equals(ImmutableSet.copyOf(wanted))) {
      next.clearFormer();
    } else {
      next.addAllWanted(wanted);
      if (stored.getFormerCount() == 0) {
        next.addAllFormer(members);
      }
    }
    chains.put(chain, next.build());
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
