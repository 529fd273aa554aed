package luciola.simulation.cluster;

import java.util.List;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.Incarnation;
import luciola.protocol.routing.Routing;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.SimProcess;
import luciola.storage.host.ReplicaHost;

/**
 * A server's dealings with the manager: registers, reports, holds a lease and keeps routing, as
 * {@code Registrar}, {@code Membership} and {@code RoutingFeed} do.
 */
final class SimMembership {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final SimServer server;
  private final SimProcess process;
  private Routing routing = Routing.EMPTY;
  private long nodeId;
  private long heartbeats;
  private long leaseUntilNanos;
  private boolean leased;
  private boolean heartbeatSoon;
  private boolean fetchingRouting;

  SimMembership(Cluster cluster, SimServer server) {
    this.cluster = cluster;
    this.server = server;
    this.process = server.process();
  }

  /** A process begins, which knows nothing. */
  void newLife() {
    routing = Routing.EMPTY;
    leased = false;
    heartbeatSoon = false;
    fetchingRouting = false;
    heartbeats = 0;
  }

  Routing routing() {
    return routing;
  }

  /** Whether it may serve by its own clock. */
  boolean leased() {
    return process.up() && leased && process.clockNanos() - leaseUntilNanos < 0;
  }

  /** Whether it had a lease, which has ended. */
  boolean lapsed() {
    return leased && !leased();
  }

  private long incarnation() {
    return Incarnation.after((long) (process.life() - 1) << Integer.SIZE, server.number());
  }

  /** Registers, again and again until it is heard. */
  void register(Runnable registered) {
    var request =
        RegisterRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(incarnation())
            .setAddress(process.name() + ":1");
    List<SimTarget> targets = server.targets();
    for (SimTarget target : targets) {
      request.addTargets(
          TargetRegistration.newBuilder()
              .setTargetId(target.number())
              .setUuid(target.uuid())
              .setDisk("disk" + target.uuid())
              .setCapacityBytes(1L << 40));
    }
    toMeta(
        request.build(),
        answer -> {
          if (answer instanceof RegisterReply reply && reply.getCode() == 0) {
            nodeId = reply.getNodeId();
            for (int i = 0; i < targets.size(); i++) {
              targets.get(i).number(reply.getTargetIds(i));
            }
            registered.run();
          } else {
            process.later(50 * MILLI, () -> register(registered));
          }
        },
        () -> process.later(50 * MILLI, () -> register(registered)));
  }

  /** Reports from now on. */
  void heartbeat() {
    sendHeartbeat();
    process.later(cluster.timings().heartbeatNanos(), this::heartbeat);
  }

  /** Reports at once, but only once in a turn. */
  void heartbeatSoon() {
    if (!heartbeatSoon) {
      heartbeatSoon = true;
      process.later(
          0,
          () -> {
            heartbeatSoon = false;
            sendHeartbeat();
          });
    }
  }

  private void sendHeartbeat() {
    server.replicas().forEach(ReplicaWatch::meetDropped);
    List<TargetReport> reports = server.host().map(ReplicaHost::reports).orElse(List.of());
    List<PeerReport> unreachable = server.host().map(ReplicaHost::unreachable).orElse(List.of());
    if (!process.heldBefore(() -> sendHeartbeat(reports, unreachable))) {
      sendHeartbeat(reports, unreachable);
    }
  }

  private void sendHeartbeat(List<TargetReport> reports, List<PeerReport> unreachable) {
    var request =
        HeartbeatRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(incarnation())
            .setRoutingVersion(routing.version().value())
            .setSequence(++heartbeats)
            .addAllTargets(reports)
            .addAllUnreachable(unreachable)
            .build();
    long sentNanos = process.clockNanos();
    toMeta(
        request,
        answer -> {
          if (answer instanceof HeartbeatReply reply
              && !process.heldBefore(() -> heartbeatAnswered(reply, sentNanos))) {
            heartbeatAnswered(reply, sentNanos);
          }
        },
        () -> {});
  }

  private void heartbeatAnswered(HeartbeatReply reply, long sentNanos) {
    if (ErrorCode.ofNumber(reply.getCode()) == ErrorCode.OK) {
      learn(reply.getRouting());
      if (reply.getLeaseNanos() > 0) {
        long from = cluster.has(PlantedBug.LEASE_FROM_REPLY) ? process.clockNanos() : sentNanos;
        long until = from + reply.getLeaseNanos();
        if (!leased || until > leaseUntilNanos) {
          leased = true;
          leaseUntilNanos = until;
        }
        server.host().ifPresent(host -> host.leaseChanged(leaseUntilNanos));
      }
    }
  }

  /** Gets routing, one question at a time. */
  void fetchRouting() {
    if (fetchingRouting) {
      return;
    }
    fetchingRouting = true;
    toMeta(
        RoutingRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setKnownVersion(routing.version().value())
            .build(),
        answer -> {
          fetchingRouting = false;
          if (answer instanceof RoutingUpdate update) {
            learn(update);
          }
        },
        () -> fetchingRouting = false);
  }

  private void learn(RoutingUpdate update) {
    if (!update.getFull() && update.getFromVersion() > routing.version().value()) {
      return;
    }
    routing = routing.apply(RoutingMessages.fromMessage(update));
    server.host().ifPresent(host -> host.routingChanged(routing));
  }

  private void toMeta(
      Object request, java.util.function.Consumer<Object> answered, Runnable failed) {
    cluster.callMeta(process, request, answered, failed);
  }
}
