package luciola.simulation.cluster;

import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.StoredTarget;
import luciola.meta.cluster.ClusterState;
import luciola.meta.placement.MovePlanner;
import luciola.meta.placement.Place;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.StorageNode;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;

/**
 * What an operator does in a run: drains and puts back, replaces and adds members, takes targets
 * out of service, changes the mind. Whatever is accepted must come to its end once all is well.
 */
final class Operator {
  private static final long MILLI = 1_000_000;
  private static final int DEEDS_MAX = 10;

  private final Cluster cluster;
  private final World world;
  private boolean over;
  private boolean changedMind;
  private long askedNanos;

  Operator(Cluster cluster) {
    this.cluster = cluster;
    this.world = cluster.world();
  }

  /** Plans what is done from now until {@code untilNanos}. */
  void plan(long untilNanos) {
    if (!cluster.plan().operated()) {
      return;
    }
    int count = 1 + world.below(DEEDS_MAX);
    for (int i = 0; i < count; i++) {
      long at = world.between(world.nowNanos(), untilNanos);
      world.later(at - world.nowNanos(), this::act);
    }
    world.later(untilNanos - world.nowNanos(), () -> over = true);
  }

  /** Puts back in service what is still out of it; to be called until {@link #done}. */
  void finish() {
    Operation.Builder release = Operation.newBuilder();
    held(cluster.log().decided()).forEach(target -> release.addReleaseTargets(target.value()));
    if (release.getReleaseTargetsCount() > 0 && world.nowNanos() - askedNanos > 200 * MILLI) {
      askedNanos = world.nowNanos();
      ask(release.build());
    }
  }

  /** Whether everything that was accepted is done and what was left is empty. */
  boolean done() {
    ClusterState state = cluster.log().decided();
    return state.plans().isEmpty()
        && held(state).isEmpty()
        && state.targets().stream()
            .map(target -> new TargetId(target.getId()))
            .allMatch(target ->
                changedMind || !state.draining(target) || state.chainsOf(target).isEmpty())
        && cluster.servers().stream()
            .flatMap(server -> server.targets().stream())
            .allMatch(target -> holdsOnlyItsChains(state, target));
  }

  private static boolean holdsOnlyItsChains(ClusterState state, SimTarget target) {
    return target
        .engine()
        .filter(engine ->
            state.routing().chains().values().stream()
                .allMatch(chain ->
                    chain.stateOf(target.id()).isPresent() || engine.chain(chain.id()).isEmpty()))
        .isPresent();
  }

  /** In words, for a run that does not come to its end. */
  String describe() {
    ClusterState state = cluster.log().decided();
    var text = new StringBuilder();
    text.append("\n  plans ").append(state.plans()).append(" held ").append(held(state));
    for (SimServer server : cluster.servers()) {
      for (SimTarget target : server.targets()) {
        boolean draining = target.registered() && state.draining(target.id());
        text.append("\n  ").append(target).append(draining ? " draining" : "");
        text.append(holdsOnlyItsChains(state, target) ? "" : " holds what it has left");
      }
    }
    return text.toString();
  }

  private void act() {
    ClusterState state = cluster.log().decided();
    if (over || state.newestTable().isEmpty()) {
      return;
    }
    try {
      deed(state).ifPresent(this::ask);
    } catch (LuciolaException impossible) {
      world.log("operator", () -> "cannot: " + impossible.getMessage());
    }
  }

  private void ask(Operation wanted) {
    world.log("operator", () -> "wants " + wanted.toString().replaceAll("\\s+", " "));
    SimMeta leader = cluster.log().leader().orElse(cluster.metas().getFirst());
    leader.process().later(0, () -> leader.operate(wanted));
  }

  private Optional<Operation> deed(ClusterState state) {
    return switch (world.below(12)) {
      case 0, 1 -> drainNode(state);
      case 2, 3 -> drainTarget(state);
      case 4, 5 -> undrain(state);
      case 6, 7 -> replaceMember(state);
      case 8 -> addMember(state);
      case 9 -> fewerAgain(state);
      case 10 -> hold(state);
      default -> state.plans().isEmpty() ? replaceMember(state) : changeMind(state);
    };
  }

  private Optional<Operation> drainNode(ClusterState state) {
    StorageNode node = any(List.copyOf(state.routing().nodes().values()));
    return drain(state, ImmutableSet.copyOf(node.targets()))
        .map(operation -> operation.addDrainNodes(node.id().value()).build());
  }

  private Optional<Operation> drainTarget(ClusterState state) {
    TargetId target = anyTarget(state);
    return drain(state, Set.of(target))
        .map(operation -> operation.addDrainTargets(target.value()).build());
  }

  private Optional<Operation.Builder> drain(ClusterState state, Set<TargetId> leaving) {
    List<MovePlanner.Move> moves = planner(state, leaving).drain(leaving);
    return Optional.of(withPlans(state, moves));
  }

  private Optional<Operation> undrain(ClusterState state) {
    Operation.Builder operation = Operation.newBuilder();
    for (StorageNode node : state.routing().nodes().values()) {
      if (state.draining(node.id())) {
        operation.addUndrainNodes(node.id().value());
      }
    }
    for (StoredTarget target : state.targets()) {
      if (target.getDraining()) {
        operation.addUndrainTargets(target.getId());
      }
    }
    return operation.getUndrainNodesCount() + operation.getUndrainTargetsCount() == 0
        ? drainTarget(state)
        : Optional.of(operation.build());
  }

  private Optional<Operation> replaceMember(ClusterState state) {
    Chain chain = anyChain(state);
    List<TargetId> wanted = wanted(state, chain);
    List<TargetId> spare = spare(state, wanted);
    if (spare.isEmpty()) {
      return Optional.empty();
    }
    List<TargetId> next = new ArrayList<>(wanted);
    next.set(world.below(next.size()), any(spare));
    return Optional.of(plan(chain, next).build());
  }

  private Optional<Operation> addMember(ClusterState state) {
    Chain chain = anyChain(state);
    List<TargetId> wanted = new ArrayList<>(wanted(state, chain));
    List<TargetId> spare = spare(state, wanted);
    if (spare.isEmpty()) {
      return Optional.empty();
    }
    wanted.add(any(spare));
    return Optional.of(plan(chain, wanted).build());
  }

  private Optional<Operation> fewerAgain(ClusterState state) {
    for (Chain chain : state.routing().chains().values()) {
      List<TargetId> wanted = new ArrayList<>(wanted(state, chain));
      if (wanted.size() > state.replicas(chain.id())) {
        wanted.remove(world.below(wanted.size()));
        return Optional.of(plan(chain, wanted).build());
      }
    }
    return addMember(state);
  }

  private Optional<Operation> hold(ClusterState state) {
    Set<TargetId> held = held(state);
    if (!held.isEmpty()) {
      Operation.Builder operation = Operation.newBuilder();
      held.forEach(target -> operation.addReleaseTargets(target.value()));
      return Optional.of(operation.build());
    }
    return Optional.of(Operation.newBuilder().addHoldTargets(anyTarget(state).value()).build());
  }

  /** What was drained comes back with it. */
  private Optional<Operation> changeMind(ClusterState state) {
    changedMind = true;
    Operation.Builder operation = Operation.newBuilder();
    state.plans().forEach(plan -> operation.addCancelChains(plan.getChainId()));
    undrain(state)
        .ifPresent(undrained ->
            operation
                .addAllUndrainNodes(undrained.getUndrainNodesList())
                .addAllUndrainTargets(undrained.getUndrainTargetsList()));
    return Optional.of(operation.build());
  }

  private MovePlanner planner(ClusterState state, Set<TargetId> leaving) {
    List<Place> places = state.places();
    Set<TargetId> eligible =
        places.stream()
            .map(Place::target)
            .filter(target -> !leaving.contains(target) && usable(state, target))
            .collect(Collectors.toSet());
    return new MovePlanner(
        places,
        eligible,
        state.routing().chains().values().stream()
            .map(chain ->
                new MovePlanner.Existing(
                    chain.id(), wanted(state, chain), state.domain(chain.id())))
            .toList());
  }

  private static Operation.Builder withPlans(ClusterState state, List<MovePlanner.Move> moves) {
    Operation.Builder operation = Operation.newBuilder();
    for (MovePlanner.Move move : moves) {
      Chain chain = state.routing().chain(move.chain()).orElseThrow();
      operation.addAllPlans(plan(chain, move.wanted()).getPlansList());
    }
    return operation;
  }

  private static Operation.Builder plan(Chain chain, List<TargetId> wanted) {
    ChainPlan.Builder plan = ChainPlan.newBuilder().setChainId(chain.id().value());
    wanted.forEach(target -> plan.addWanted(target.value()));
    chain.members().forEach(member -> plan.addFormer(member.target().value()));
    return Operation.newBuilder().addPlans(plan);
  }

  private static List<TargetId> wanted(ClusterState state, Chain chain) {
    Set<TargetId> wanted = state.wanted(chain.id());
    return wanted.isEmpty()
        ? chain.members().stream().map(member -> member.target()).toList()
        : wanted.stream().sorted().toList();
  }

  /** Targets that may become members, on servers that have none. */
  private static List<TargetId> spare(ClusterState state, List<TargetId> members) {
    Set<StorageNode> taken = new HashSet<>();
    members.forEach(member -> state.routing().nodeOf(member).ifPresent(taken::add));
    return state.targets().stream()
        .map(target -> new TargetId(target.getId()))
        .filter(target ->
            usable(state, target)
                && state.routing().nodeOf(target).filter(node -> !taken.contains(node)).isPresent())
        .toList();
  }

  private static boolean usable(ClusterState state, TargetId target) {
    return !state.draining(target) && !state.held(target);
  }

  private static Set<TargetId> held(ClusterState state) {
    return state.targets().stream()
        .map(target -> new TargetId(target.getId()))
        .filter(state::held)
        .collect(Collectors.toSet());
  }

  private Chain anyChain(ClusterState state) {
    return any(List.copyOf(state.routing().chains().values()));
  }

  private TargetId anyTarget(ClusterState state) {
    return new TargetId(any(state.targets()).getId());
  }

  private <T> T any(List<T> of) {
    return of.get(world.below(of.size()));
  }

  // What comes of it.

  /** The log decided something about a chain. */
  static void meet(World world, Set<ChainPlace> left, ClusterState state, Chain was, Chain is) {
    is.members().stream()
        .filter(member -> was.stateOf(member.target()).isEmpty())
        .forEach(member -> {
          world.met(Probe.MEMBER_ADDED);
          if (left.contains(new ChainPlace(is.id(), member.target()))) {
            world.met(Probe.MEMBER_CAME_BACK);
          }
        });
    if (is.serving().size() > was.serving().size() && is.writePath().size() > is.serving().size()) {
      world.met(Probe.ONE_FILLED_BEFORE_ANOTHER);
    }
    was.members().stream()
        .filter(member -> is.stateOf(member.target()).isEmpty())
        .forEach(member -> {
          world.met(Probe.MEMBER_LEFT);
          left.add(new ChainPlace(is.id(), member.target()));
          if (state.draining(member.target()) && state.chainsOf(member.target()).isEmpty()) {
            world.met(Probe.DRAIN_COMPLETED);
          }
        });
  }

  /** A target's place in a chain. */
  record ChainPlace(ChainId chain, TargetId target) {}
}
