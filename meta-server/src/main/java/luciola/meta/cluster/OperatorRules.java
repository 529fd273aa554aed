package luciola.meta.cluster;

import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.ChainMember;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.Operation;
import luciola.meta.placement.LayoutPlanner;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.StorageNode;

/**
 * What an operator's wish must meet of the living cluster, beside what {@link OperatorChange} asks
 * of the durable one: new members live, the last that serves is not taken out, and nothing that
 * lives is removed.
 */
final class OperatorRules {
  private final ClusterState state;
  private final Lives lives;
  private final Set<TargetId> slow;
  private final long nowNanos;

  OperatorRules(ClusterState state, Lives lives, List<TargetId> slow, long nowNanos) {
    this.state = state;
    this.lives = lives;
    this.slow = ImmutableSet.copyOf(slow);
    this.nowNanos = nowNanos;
  }

  /** Targets that may take replicas. */
  List<Place> eligible() {
    return state.places().stream().filter(place -> eligible(place.target())).toList();
  }

  private boolean eligible(TargetId target) {
    return lives.usable(state.routing(), target, nowNanos)
        && !state.draining(target)
        && !state.held(target)
        && !slow.contains(target)
        && lives
            .report(state.routing(), target)
            .filter(report -> !report.getLowSpace())
            .isPresent();
  }

  /** The command that does what is wanted. */
  Command table(CreateTableRequest request) {
    var command =
        AddTable.newBuilder()
            .setReplicas(request.getReplicas())
            .setFailureDomain(request.getFailureDomain())
            .setRequestId(request.getRequestId());
    List<List<TargetId>> layout =
        request.getLayoutCount() == 0 ? laid(request) : given(request.getLayoutList());
    int number = 0;
    for (List<TargetId> members : layout) {
      number++;
      for (TargetId member : members) {
        check(
            state.routing().nodeOf(member).isPresent(),
            ErrorCode.NOT_FOUND,
            "create table: unknown target=" + member);
        check(
            lives.usable(state.routing(), member, nowNanos),
            ErrorCode.INVALID_ARGUMENT,
            "create table: target is not alive: target=" + member);
      }
      command.addChains(
          RoutingMessages.toMessage(RoutingMessages.newChain(new ChainId(number), members)));
    }
    return Command.newBuilder().setAddTable(command).build();
  }

  /** The command that does what is wanted: each member must be able to take a replica now. */
  Command chains(AddChains wanted) {
    for (luciola.grpc.v1.Chain chain : wanted.getChainsList()) {
      for (ChainMember member : chain.getMembersList()) {
        TargetId target = targetId(member.getTargetId());
        check(
            state.routing().nodeOf(target).isPresent(),
            ErrorCode.NOT_FOUND,
            "create chain: unknown target=" + target);
        check(
            lives.usable(state.routing(), target, nowNanos),
            ErrorCode.INVALID_ARGUMENT,
            "create chain: target is not alive: target=" + target);
        check(
            !slow.contains(target),
            ErrorCode.INVALID_ARGUMENT,
            "create chain: target is far slower than its peers: target=" + target);
        check(
            lives.report(state.routing(), target).filter(report -> report.getLowSpace()).isEmpty(),
            ErrorCode.NO_SPACE,
            "create chain: target is full: target=" + target);
      }
    }
    return Command.newBuilder().setAddChains(wanted).build();
  }

  private List<List<TargetId>> laid(CreateTableRequest request) {
    try {
      return LayoutPlanner.quick(
              eligible(), request.getFailureDomain(), request.getReplicas(), request.getChains())
          .chains();
    } catch (LuciolaException refused) {
      throw new LuciolaException(refused.code(), "create table: " + refused.detail(), refused);
    }
  }

  private static List<List<TargetId>> given(List<ChainPlan> layout) {
    var chains = new ArrayList<List<TargetId>>();
    for (ChainPlan chain : layout) {
      chains.add(chain.getWantedList().stream().map(OperatorRules::targetId).toList());
    }
    return chains;
  }

  private static TargetId targetId(long id) {
    check(id > 0, ErrorCode.INVALID_ARGUMENT, "not a target: target=" + id);
    return new TargetId(id);
  }

  /** The command that does what is wanted. */
  Command operation(Operation wanted) {
    for (ChainPlan plan : wanted.getPlansList()) {
      check(
          plan.getChainId() > 0,
          ErrorCode.INVALID_ARGUMENT,
          "not a chain: chain=" + plan.getChainId());
      checkPlan(plan);
    }
    Set<TargetId> held = new HashSet<>();
    wanted.getHoldTargetsList().forEach(target -> held.add(targetId(target)));
    held.forEach(target -> checkHeld(target, held));
    for (long id : wanted.getRemoveNodesList()) {
      check(
          id > 0 && !lives.alive(new NodeId(id), nowNanos),
          ErrorCode.INVALID_ARGUMENT,
          "the storage-server is alive, stop it first: node=" + id);
    }
    for (long id : wanted.getRemoveTargetsList()) {
      StorageNode node = state.routing().nodeOf(targetId(id)).orElse(null);
      check(
          node == null
              || !lives.alive(node.id(), nowNanos)
              || !lives.reports(node.id()).containsKey(new TargetId(id)),
          ErrorCode.INVALID_ARGUMENT,
          "the target is there, take it from its server first: target=" + id);
    }
    wanted.getReopenTargetsList().forEach(target -> checkReopened(targetId(target)));
    return Command.newBuilder().setOperation(wanted).build();
  }

  private void checkReopened(TargetId target) {
    StorageNode node =
        state
            .routing()
            .nodeOf(target)
            .orElseThrow(
                () -> new LuciolaException(ErrorCode.NOT_FOUND, "unknown target=" + target));
    check(
        lives.alive(node.id(), nowNanos),
        ErrorCode.INVALID_ARGUMENT,
        "its server is silent, start it: target=" + target + " node=" + node.id());
    check(
        !lives.usable(state.routing(), target, nowNanos),
        ErrorCode.INVALID_ARGUMENT,
        "the target has not failed: target=" + target);
  }

  private void checkPlan(ChainPlan plan) {
    Chain chain = state.routing().chains().get(new ChainId(plan.getChainId()));
    if (chain == null) {
      return;
    }
    boolean grows = false;
    for (long id : plan.getWantedList()) {
      TargetId target = targetId(id);
      if (chain.stateOf(target).isEmpty() && state.routing().nodeOf(target).isPresent()) {
        grows = true;
        check(
            lives.usable(state.routing(), target, nowNanos),
            ErrorCode.INVALID_ARGUMENT,
            "target is not alive: chain=" + plan.getChainId() + " target=" + id);
      }
    }
    if (!grows && plan.getWantedCount() < chain.members().size()) {
      List<TargetId> stay = plan.getWantedList().stream().map(OperatorRules::targetId).toList();
      check(
          chain.serving().containsAll(stay),
          ErrorCode.INVALID_ARGUMENT,
          "too few replicas would serve: chain="
              + plan.getChainId()
              + " stay="
              + stay
              + " serving="
              + chain.serving());
    }
  }

  private void checkHeld(TargetId target, Set<TargetId> held) {
    for (ChainId id : state.chainsOf(target)) {
      Chain chain = state.routing().chains().get(id);
      check(
          chain == null
              || !chain.serving().contains(target)
              || chain.serving().stream()
                  .anyMatch(other -> !held.contains(other) && !state.held(other)),
          ErrorCode.INVALID_ARGUMENT,
          "the last replica that serves would be taken out: chain=" + id + " target=" + target);
    }
  }

  private static void check(boolean holds, ErrorCode code, String message) {
    if (!holds) {
      throw new LuciolaException(code, message);
    }
  }
}
