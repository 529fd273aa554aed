package luciola.simulation.cluster;

import java.util.List;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.meta.cluster.ClusterEffect;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.cluster.ClusterManager;
import luciola.meta.cluster.ClusterState;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.routing.Routing;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/** The one meta-server: its durable state survives, its soft state goes with each life. */
final class SimManager {
  static final long CLUSTER = 77;
  private static final long MILLI = 1_000_000;

  private final World world;
  private final SimProcess process;
  private final ClusterTimings timings;
  private final int replicas;
  private ClusterState state =
      ClusterState.EMPTY.initCluster(InitCluster.newBuilder().setClusterId(CLUSTER).build());
  private ClusterManager core;

  SimManager(World world, ClusterTimings timings, int replicas, double driftMax) {
    this.world = world;
    this.process = new SimProcess(world, "manager", driftMax);
    this.timings = timings;
    this.replicas = replicas;
    this.core = new ClusterManager(timings, 2);
  }

  SimProcess process() {
    return process;
  }

  /** What is decided and durable at this very time. */
  Routing books() {
    return state.routing();
  }

  void start() {
    process.start();
    core = new ClusterManager(timings, 2);
    process.later(
        world.between(MILLI, 20 * MILLI),
        () -> {
          execute(core.step(new ClusterEvent.BecameLeader(state), process.clockNanos()), null);
          tick();
        });
  }

  void stop() {
    process.stop();
  }

  private void tick() {
    execute(core.step(new ClusterEvent.Tick(), process.clockNanos()), null);
    if (state.newestTable().isEmpty() && core.leads()) {
      execute(
          core.step(
              new ClusterEvent.CreateTable(
                  CreateTableRequest.newBuilder().setReplicas(replicas).setChains(1).build()),
              process.clockNanos()),
          null);
    }
    process.later(timings.heartbeatNanos() / 2, this::tick);
  }

  void receive(Object request, Network.ReplySink<Object> sink) {
    switch (request) {
      case HeartbeatRequest heartbeat ->
          execute(core.step(new ClusterEvent.Heartbeat(heartbeat), process.clockNanos()), sink);
      case RegisterRequest register -> register(register, sink);
      case RoutingRequest asked -> sink.reply(state.updateSince(asked.getKnownVersion()));
      default -> throw new IllegalStateException("unknown request: " + request);
    }
  }

  private void register(RegisterRequest request, Network.ReplySink<Object> sink) {
    if (!core.leads()) {
      sink.reply(RegisterReply.newBuilder().setCode(ErrorCode.NOT_LEADER.number()).build());
      return;
    }
    int life = process.life();
    log(() -> {
      ClusterState.Applied<RegisterReply> applied = state.register(request);
      state = applied.state();
      if (process.up() && process.life() == life) {
        sink.reply(applied.reply());
      }
    });
  }

  /** A command of the log is applied a moment later, even if the process stops meanwhile. */
  private void log(Runnable command) {
    world.later(
        world.between(MILLI, 5 * MILLI),
        () -> {
          command.run();
          if (process.up()) {
            process.later(
                0,
                () ->
                    execute(
                        core.step(new ClusterEvent.StateChanged(state), process.clockNanos()),
                        null));
          }
        });
  }

  private void execute(List<ClusterEffect> effects, Network.@Nullable ReplySink<Object> sink) {
    for (ClusterEffect effect : effects) {
      switch (effect) {
        case ClusterEffect.ProposeChains(var command) ->
            log(() -> {
              Routing before = state.routing();
              state = state.changeChains(command).state();
              state.routing().chains().values().stream()
                  .filter(chain -> !chain.equals(before.chains().get(chain.id())))
                  .forEach(chain -> world.log("manager", () -> "decided " + chain));
            });
        case ClusterEffect.ProposeTable(var command) ->
            log(() -> {
              if (state.newestTable().isEmpty()) {
                state = state.addTable(command).state();
                world.log("manager", () -> "table " + state.routing().chains().values());
              }
            });
        case ClusterEffect.RefuseTable _ -> {}
        case ClusterEffect.AnswerHeartbeat(HeartbeatReply reply) -> {
          if (sink != null) {
            sink.reply(reply);
          }
        }
      }
    }
  }
}
