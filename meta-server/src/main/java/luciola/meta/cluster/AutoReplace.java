package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.Operation;
import luciola.meta.placement.MovePlanner;
import luciola.meta.placement.Place;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;

/**
 * Replaces replicas on targets that are gone for longer than operators allow; off by default. Only
 * chains that serve and are not moving already get a plan; a target that was taken out by an
 * operator is not gone. Time is counted from when this leader first missed the target.
 */
final class AutoReplace {
  private static final int PLANS_MAX = 256;

  private final Map<TargetId, Long> goneSinceNanos = new HashMap<>();
  private long plannedNanos;

  void clear() {
    goneSinceNanos.clear();
    plannedNanos = 0;
  }

  /** New plans, if it is time for some. */
  Optional<Operation> tick(
      ClusterState state,
      Lives lives,
      OperatorRules rules,
      Policy policy,
      boolean grace,
      long nowNanos) {
    if (policy.autoReplaceNanos() == 0 || grace) {
      goneSinceNanos.clear();
      return Optional.empty();
    }
    Set<TargetId> gone = new HashSet<>();
    for (Place place : state.places()) {
      TargetId target = place.target();
      if (lives.usable(state.routing(), target, nowNanos) || state.held(target)) {
        goneSinceNanos.remove(target);
      } else if (nowNanos - goneSinceNanos.computeIfAbsent(target, _ -> nowNanos)
          >= policy.autoReplaceNanos()) {
        gone.add(target);
      }
    }
    if (gone.isEmpty() || nowNanos - plannedNanos < policy.autoReplaceNanos() / 4) {
      return Optional.empty();
    }
    plannedNanos = nowNanos;
    return plan(state, rules, gone);
  }

  private static Optional<Operation> plan(
      ClusterState state, OperatorRules rules, Set<TargetId> gone) {
    var existing = new ArrayList<MovePlanner.Existing>();
    for (Chain chain : state.routing().chains().values()) {
      if (state.wanted(chain.id()).isEmpty()
          && !chain.serving().isEmpty()
          && chain.members().stream().anyMatch(member -> replaced(member, gone))
          && existing.size() < PLANS_MAX) {
        existing.add(
            new MovePlanner.Existing(
                chain.id(),
                chain.members().stream().map(ChainMember::target).toList(),
                state.domain(chain.id())));
      }
    }
    var operation = Operation.newBuilder();
    Set<TargetId> eligible = new HashSet<>();
    rules.eligible().forEach(place -> eligible.add(place.target()));
    var byId = new HashMap<ChainId, MovePlanner.Existing>();
    existing.forEach(chain -> byId.put(chain.id(), chain));
    new MovePlanner(state.places(), eligible, existing)
        .drainWherePossible(gone)
        .forEach(move ->
            operation.addPlans(message(Objects.requireNonNull(byId.get(move.chain())), move)));
    return operation.getPlansCount() == 0 ? Optional.empty() : Optional.of(operation.build());
  }

  private static boolean replaced(ChainMember member, Set<TargetId> gone) {
    return member.state() == PublicState.OFFLINE && gone.contains(member.target());
  }

  private static ChainPlan message(MovePlanner.Existing chain, MovePlanner.Move move) {
    return ChainPlan.newBuilder()
        .setChainId(chain.id().value())
        .addAllFormer(chain.members().stream().map(TargetId::value).toList())
        .addAllWanted(move.wanted().stream().map(TargetId::value).toList())
        .build();
  }
}
