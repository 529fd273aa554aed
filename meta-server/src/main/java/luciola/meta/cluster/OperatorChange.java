package luciola.meta.cluster;

import static luciola.meta.cluster.ClusterState.check;

import com.google.common.collect.ImmutableSet;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredNode;
import luciola.grpc.v1.StoredTarget;
import luciola.meta.placement.Place;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;

/**
 * Does what an operator wants, all of it or nothing. Rules that hold afterwards, or the operation
 * is refused:
 *
 * <ul>
 *   <li>every id that is named is known;
 *   <li>a chain is to have as many members as it was made with, or more, unless fewer are said to
 *       be meant; no two share its failure domain; new ones are not being drained;
 *   <li>a chain that has a member on what is being drained is to have it no longer;
 *   <li>one that serves at all is to keep a serving member;
 *   <li>what is removed is in no chain and is to be in none;
 *   <li>settings are within their bounds.
 * </ul>
 */
final class OperatorChange {
  private OperatorChange() {}

  static ClusterState apply(ClusterState state, Operation command) {
    var change = new ClusterChange(state);
    command.getReopenTargetsList().forEach(state::target);
    flags(state, change, command);
    labels(state, change, command);
    settings(change, command);
    for (int chain : command.getCancelChainsList()) {
      StoredChain stored = state.chain(chain);
      if (stored.getFormerCount() > 0) {
        change.plan(chain, stored.getFormerList());
      }
    }
    ClusterState flagged = change.build();
    Map<TargetId, Place> places = state.placeByTarget();
    var planned = new HashSet<Integer>();
    for (ChainPlan plan : command.getPlansList()) {
      StoredChain stored = state.chain(plan.getChainId());
      check(
          planned.add(plan.getChainId()),
          ErrorCode.INVALID_ARGUMENT,
          "chain twice: chain=" + plan.getChainId());
      checkPlan(flagged, places, stored, plan);
      change.plan(plan.getChainId(), plan.getWantedList());
    }
    ClusterState changed = change.build();
    checkDrains(changed, command);
    return removed(changed, command);
  }

  private static void flags(ClusterState state, ClusterChange change, Operation command) {
    command.getDrainNodesList().forEach(id -> drain(change, state.node(id), true));
    command.getUndrainNodesList().forEach(id -> drain(change, state.node(id), false));
    command.getDrainTargetsList().forEach(id -> target(change, state.target(id), true, null));
    command.getUndrainTargetsList().forEach(id -> target(change, state.target(id), false, null));
    command.getHoldTargetsList().forEach(id -> target(change, state.target(id), null, true));
    command.getReleaseTargetsList().forEach(id -> target(change, state.target(id), null, false));
  }

  private static void drain(ClusterChange change, StoredNode node, boolean draining) {
    change.nodes.put(node.getNode().getId(), node.toBuilder().setDraining(draining).build());
  }

  private static void target(
      ClusterChange change,
      StoredTarget target,
      @org.jspecify.annotations.Nullable Boolean draining,
      @org.jspecify.annotations.Nullable Boolean held) {
    StoredTarget.Builder next = change.targets.getOrDefault(target.getId(), target).toBuilder();
    if (draining != null) {
      next.setDraining(draining);
    }
    if (held != null) {
      next.setHeld(held);
    }
    change.targets.put(target.getId(), next.build());
  }

  private static void labels(ClusterState state, ClusterChange change, Operation command) {
    if (command.getLabelNode() == 0) {
      check(command.getLabelsCount() == 0, ErrorCode.INVALID_ARGUMENT, "labels of which node?");
      return;
    }
    StoredNode.Builder node =
        change
            .nodes
            .getOrDefault(command.getLabelNode(), state.node(command.getLabelNode()))
            .toBuilder();
    command
        .getLabelsMap()
        .forEach((name, value) -> {
          check(
              name.matches("[A-Za-z0-9._-]{1,63}") && value.length() <= 255,
              ErrorCode.INVALID_ARGUMENT,
              "bad label: name=" + name + " value=" + value);
          node.putLabels(name, value);
        });
    change.node(node.build());
  }

  private static void settings(ClusterChange change, Operation command) {
    ClusterSettings.Builder next = change.counters.getSettings().toBuilder();
    for (String cleared : command.getSettingsClearedList()) {
      FieldDescriptor field = ClusterSettings.getDescriptor().findFieldByName(cleared);
      check(field != null, ErrorCode.INVALID_ARGUMENT, "unknown setting=" + cleared);
      next.clearField(java.util.Objects.requireNonNull(field));
    }
    next.mergeFrom(command.getSettings());
    ClusterSettings merged = next.build();
    var _ = Policy.of(merged, 1);
    if (!merged.equals(change.counters.getSettings())) {
      change.counters.setSettings(merged);
    }
  }

  private static void checkPlan(
      ClusterState state, Map<TargetId, Place> places, StoredChain stored, ChainPlan plan) {
    String chain = "chain=" + plan.getChainId();
    Set<Long> members = new HashSet<>();
    stored.getChain().getMembersList().forEach(member -> members.add(member.getTargetId()));
    check(
        plan.getFormerCount() == 0 || members.equals(ImmutableSet.copyOf(plan.getFormerList())),
        ErrorCode.INVALID_ARGUMENT,
        "the plan was made for other members: "
            + chain
            + " members="
            + members
            + " plan_for="
            + plan.getFormerList());
    List<TargetId> wanted = plan.getWantedList().stream().map(TargetId::new).toList();
    check(
        !wanted.isEmpty() && ImmutableSet.copyOf(wanted).size() == wanted.size(),
        ErrorCode.INVALID_ARGUMENT,
        "no members, or one twice: " + chain + " wanted=" + wanted);
    int replicas = state.replicas(new ChainId(plan.getChainId()));
    check(
        wanted.size() >= replicas || plan.getFewer(),
        ErrorCode.INVALID_ARGUMENT,
        "too few replicas would be left: " + chain + " wanted=" + wanted + " replicas=" + replicas);
    boolean serves =
        stored.getChain().getMembersList().stream()
            .anyMatch(member ->
                member.getPublicState() == luciola.grpc.v1.PublicState.PUBLIC_STATE_SERVING);
    check(
        serves || ImmutableSet.copyOf(plan.getWantedList()).containsAll(members),
        ErrorCode.NO_SERVING_REPLICA,
        "no member serves, so none may leave: " + chain);
    // One that is to leave is to be drained: a plan made before that must not bring it back.
    Set<Long> stays =
        stored.getWantedCount() > 0 ? ImmutableSet.copyOf(stored.getWantedList()) : members;
    for (TargetId target : wanted) {
      state.target(target.value());
      check(
          stays.contains(target.value()) || !state.draining(target),
          ErrorCode.INVALID_ARGUMENT,
          "target is being drained: " + chain + " target=" + target);
    }
    NewTable.checkApart(places, wanted, state.domain(new ChainId(plan.getChainId())), chain);
  }

  /** What is drained now must have somewhere to go. */
  private static void checkDrains(ClusterState changed, Operation command) {
    if (command.getDrainNodesCount() == 0 && command.getDrainTargetsCount() == 0) {
      return;
    }
    Set<Long> leaving = new HashSet<>(command.getDrainTargetsList());
    command
        .getDrainNodesList()
        .forEach(node -> leaving.addAll(changed.node(node).getNode().getTargetsList()));
    for (StoredChain stored : changed.chains.values()) {
      ChainId id = new ChainId(stored.getChain().getId());
      boolean planned = stored.getWantedCount() > 0;
      List<Long> after =
          planned
              ? stored.getWantedList()
              : stored.getChain().getMembersList().stream()
                  .map(member -> member.getTargetId())
                  .toList();
      for (long member : after) {
        check(
            !leaving.contains(member),
            ErrorCode.INVALID_ARGUMENT,
            "too few replicas would be left: nothing takes the place of one that leaves: chain="
                + id
                + " target="
                + member);
      }
    }
  }

  private static ClusterState removed(ClusterState state, Operation command) {
    if (command.getRemoveNodesCount() == 0 && command.getRemoveTargetsCount() == 0) {
      return state;
    }
    var change = new ClusterChange(state);
    Set<Long> gone = new HashSet<>(command.getRemoveTargetsList());
    for (long id : command.getRemoveNodesList()) {
      gone.addAll(state.node(id).getNode().getTargetsList());
      change.nodes.remove(id);
    }
    for (long id : gone) {
      StoredTarget target = state.target(id);
      for (StoredChain chain : state.chains.values()) {
        check(
            !chain.getWantedList().contains(id)
                && chain.getChain().getMembersList().stream()
                    .noneMatch(member -> member.getTargetId() == id),
            ErrorCode.INVALID_ARGUMENT,
            "target is in a chain, drain it first: target="
                + id
                + " chain="
                + chain.getChain().getId());
      }
      change.targets.remove(id);
      StoredNode node = change.nodes.get(target.getNodeId());
      if (node != null) {
        change.node(node);
      }
    }
    change.removed();
    return change.build();
  }
}
