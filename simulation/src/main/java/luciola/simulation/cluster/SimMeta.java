package luciola.simulation.cluster;

import java.util.ArrayDeque;
import java.util.List;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.TakeOffice;
import luciola.meta.cluster.ClusterEffect;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.cluster.ClusterManager;
import luciola.meta.cluster.ClusterState;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/**
 * One meta-server: drives the production {@link ClusterManager} as {@code ClusterDriver} does. What
 * the log decided survives its lives, the manager's soft state does not.
 */
final class SimMeta {
  private static final long MILLI = 1_000_000;
  private static final int SYNCING_MAX = 2;

  private final World world;
  private final Cluster cluster;
  private final SimLog log;
  private final SimProcess process;
  private final boolean alone;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private ClusterState applied = ClusterState.EMPTY;
  private long appliedCount;
  private long applyNotBeforeNanos;
  private ClusterManager core;

  private final HeartbeatBugs bugs = new HeartbeatBugs();

  private record Waiting(long count, Runnable action) {}

  SimMeta(Cluster cluster, SimLog log, int number, boolean alone, double driftMax) {
    this.world = cluster.world();
    this.cluster = cluster;
    this.log = log;
    this.alone = alone;
    this.process = new SimProcess(world, "meta" + number, driftMax);
    this.core = newCore();
  }

  private ClusterManager newCore() {
    return new ClusterManager(cluster.timings(), SYNCING_MAX);
  }

  SimProcess process() {
    return process;
  }

  boolean believesToLead() {
    return core.leads();
  }

  void start() {
    process.start();
    core = newCore();
    bugs.forget();
    waiting.clear();
    applied = log.found();
    appliedCount = 0;
    ClusterState all = log.decided();
    long count = log.decidedCount();
    willApply(all, count);
    process.later(world.between(MILLI, 20 * MILLI), this::tick);
  }

  void stop() {
    process.stop();
  }

  // What the log says.

  /** The log decided; this member applies it a moment later, in order. */
  void willApply(ClusterState state, long count) {
    if (!process.up()) {
      return;
    }
    long at = Math.max(applyNotBeforeNanos, world.nowNanos() + world.between(0, MILLI));
    applyNotBeforeNanos = at;
    process.later(at - world.nowNanos(), () -> apply(state, count));
  }

  private void apply(ClusterState state, long count) {
    if (count <= appliedCount) {
      return;
    }
    appliedCount = count;
    applied = state;
    execute(core.step(new ClusterEvent.StateChanged(state), process.clockNanos()), null);
    while (!waiting.isEmpty() && waiting.peek().count() <= appliedCount) {
      waiting.remove().action().run();
    }
  }

  /** Does something once so many commands are applied here. */
  void whenApplied(long count, Runnable action) {
    if (count <= appliedCount) {
      process.later(0, action);
    } else {
      waiting.add(new Waiting(count, action));
    }
  }

  void becomeLeader(ClusterState state, long count, boolean changed) {
    apply(state, count);
    meetLeader(changed);
    log.submit(
        this,
        Command.newBuilder().setTakeOffice(TakeOffice.getDefaultInstance()).build(),
        reply ->
            reply
                .filter(it -> it.getTakeOffice().getManager() == applied.manager())
                .ifPresent(_ -> takeOffice()));
  }

  private void takeOffice() {
    if (cluster.has(PlantedBug.NO_GRACE)) {
      becomeLeaderWithoutGrace(applied);
    } else {
      execute(core.step(new ClusterEvent.BecameLeader(applied), process.clockNanos()), null);
    }
  }

  /** As if it had led, and heard nothing, for the failure time. */
  private void becomeLeaderWithoutGrace(ClusterState state) {
    long failure = cluster.timings().failureNanos();
    long now = process.clockNanos();
    execute(core.step(new ClusterEvent.BecameLeader(state), now - failure), null);
    for (int part = 3; part >= 0; part--) {
      execute(core.step(new ClusterEvent.Tick(), now - failure * part / 4), null);
    }
  }

  private void meetLeader(boolean changed) {
    if (!changed) {
      return;
    }
    world.met(Probe.MANAGER_CHANGED);
    for (Chain chain : applied.routing().chains().values()) {
      if (chain.members().stream().anyMatch(member -> member.state() == PublicState.SYNCING)) {
        world.met(Probe.MANAGER_CHANGED_DURING_RESYNC);
      }
    }
    if (applied.plans().stream()
        .map(plan -> new ChainId(plan.getChainId()))
        .flatMap(chain -> applied.routing().chain(chain).stream())
        .flatMap(chain -> chain.members().stream())
        .anyMatch(member -> applied.draining(member.target()))) {
      world.met(Probe.MANAGER_CHANGED_DURING_DRAIN);
    }
    if (cluster.servers().stream().anyMatch(SimServer::leased)) {
      world.met(Probe.LEASES_CROSS_LEADERS);
    }
  }

  void follow() {
    if (core.leads() && !log.leads(this)) {
      execute(core.step(new ClusterEvent.LostLeadership(), process.clockNanos()), null);
    }
  }

  private void tick() {
    for (HeartbeatRequest untold : bugs.untold(cluster, applied)) {
      execute(core.step(new ClusterEvent.Heartbeat(untold), process.clockNanos()), null);
    }
    execute(core.step(new ClusterEvent.Tick(), process.clockNanos()), null);
    if (core.leads()
        && applied.newestTable().isEmpty()
        && applied.routing().nodes().size() == cluster.servers().size()) {
      execute(
          core.step(
              new ClusterEvent.CreateTable(
                  CreateTableRequest.newBuilder()
                      .setReplicas(cluster.plan().replicas())
                      .setChains(cluster.plan().chains())
                      .build()),
              process.clockNanos()),
          null);
    }
    process.later(cluster.timings().heartbeatNanos() / 2, this::tick);
  }

  /** An operator asks for something. */
  void operate(Operation operation) {
    execute(core.step(new ClusterEvent.Operate(operation), process.clockNanos()), null);
  }

  // What callers ask.

  void receive(Object request, Network.ReplySink<Object> sink) {
    switch (request) {
      case HeartbeatRequest heartbeat -> fenced(heartbeat, sink);
      case RegisterRequest register -> register(register, sink);
      case RoutingRequest asked -> sink.reply(applied.updateSince(asked.getKnownVersion()));
      default -> throw new IllegalStateException("unknown request: " + request);
    }
  }

  /** A heartbeat counts only if this member led after it arrived. */
  private void fenced(HeartbeatRequest request, Network.ReplySink<Object> sink) {
    if (!core.leads()) {
      sink.reply(HeartbeatReply.newBuilder().setCode(ErrorCode.NOT_LEADER.number()).build());
    } else if (alone) {
      heartbeat(request, sink);
    } else {
      log.submit(
          this,
          Command.getDefaultInstance(),
          reply -> {
            if (reply.isPresent()) {
              process.later(
                  world.between(0, MILLI / 4),
                  () -> {
                    if (!process.heldBefore(() -> heartbeat(request, sink))) {
                      heartbeat(request, sink);
                    }
                  });
            } else {
              sink.reply(
                  HeartbeatReply.newBuilder().setCode(ErrorCode.NOT_LEADER.number()).build());
            }
          });
    }
  }

  private void heartbeat(HeartbeatRequest request, Network.ReplySink<Object> sink) {
    bugs.heard(request);
    execute(
        core.step(
            new ClusterEvent.Heartbeat(HeartbeatBugs.heard(cluster, applied, request)),
            process.clockNanos()),
        sink);
  }

  private void register(RegisterRequest request, Network.ReplySink<Object> sink) {
    if (!core.leads()) {
      sink.reply(RegisterReply.newBuilder().setCode(ErrorCode.NOT_LEADER.number()).build());
      return;
    }
    log.submit(
        this,
        Command.newBuilder().setRegister(request).build(),
        reply ->
            sink.reply(
                reply
                    .map(luciola.grpc.v1.CommandReply::getRegister)
                    .orElse(
                        RegisterReply.newBuilder()
                            .setCode(ErrorCode.NOT_LEADER.number())
                            .build())));
  }

  private void execute(List<ClusterEffect> effects, Network.@Nullable ReplySink<Object> sink) {
    for (ClusterEffect effect : effects) {
      switch (effect) {
        case ClusterEffect.ProposeChains(var command) ->
            propose(Command.newBuilder().setChangeChains(command).build());
        case ClusterEffect.Propose(var command) -> propose(command);
        case ClusterEffect.Refuse(var code, var message) ->
            world.log(process.name(), () -> "refuses: " + code + " " + message);
        case ClusterEffect.AnswerHeartbeat(HeartbeatReply reply) -> {
          if (sink != null) {
            sink.reply(reply);
          }
        }
      }
    }
  }

  private void propose(Command command) {
    if (command.hasAddTable() && log.decided().newestTable().isPresent()) {
      return;
    }
    world.log(process.name(), () -> "proposes " + command.getCommandCase());
    log.submit(this, command, _ -> {});
  }
}
