package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.Content;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** A storage-server: registers, heartbeats, keeps routing, hosts the replicas of its targets. */
final class SimServer {
  private static final long MILLI = 1_000_000;

  private final World world;
  private final Cluster cluster;
  private final SimProcess process;
  private final int number;
  private final List<SimTarget> targets = new ArrayList<>();
  private final Map<Place, SimReplica> replicas = new TreeMap<>();
  private Routing routing = Routing.EMPTY;
  private long nodeId;
  private long heartbeats;
  private long leaseUntilNanos;
  private boolean leased;
  private boolean heartbeatSoon;
  private boolean fetchingRouting;

  /** A target's place in a chain. */
  private record Place(ChainId chain, TargetId target) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      int byChain = chain.compareTo(other.chain);
      return byChain != 0 ? byChain : target.compareTo(other.target);
    }
  }

  SimServer(Cluster cluster, int number, double driftMax) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.number = number;
    this.process = new SimProcess(world, "server" + number, driftMax);
    for (int i = 1; i <= cluster.plan().targetsPerServer(); i++) {
      targets.add(new SimTarget(cluster, this, number * 100L + i));
    }
  }

  SimProcess process() {
    return process;
  }

  List<SimTarget> targets() {
    return targets;
  }

  Collection<SimReplica> replicas() {
    return replicas.values();
  }

  Optional<SimReplica> replica(ChainId chain, TargetId target) {
    return Optional.ofNullable(replicas.get(new Place(chain, target)));
  }

  /** Whether it may serve by its own clock. */
  boolean leased() {
    return process.up() && leased && process.clockNanos() - leaseUntilNanos < 0;
  }

  void start() {
    process.start();
    replicas.clear();
    routing = Routing.EMPTY;
    leased = false;
    heartbeatSoon = false;
    fetchingRouting = false;
    heartbeats = 0;
    process.later(world.between(MILLI, 30 * MILLI), this::register);
  }

  void crash() {
    replicas.values().forEach(SimReplica::meetCrash);
    process.stop();
    targets.forEach(SimTarget::crash);
    replicas.clear();
  }

  private long incarnation() {
    return number * 1000L + process.life();
  }

  private void register() {
    var request =
        RegisterRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(incarnation())
            .setAddress(process.name() + ":1");
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
            registered(reply);
          } else {
            process.later(50 * MILLI, this::register);
          }
        },
        () -> process.later(50 * MILLI, this::register));
  }

  private void registered(RegisterReply reply) {
    nodeId = reply.getNodeId();
    for (int i = 0; i < targets.size(); i++) {
      targets.get(i).number(reply.getTargetIds(i));
    }
    heartbeat();
    process.later(cluster.chainLimits().tickNanos(), this::tick);
  }

  private void heartbeat() {
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
    List<TargetReport> reports = reports();
    if (!process.heldBefore(() -> sendHeartbeat(reports))) {
      sendHeartbeat(reports);
    }
  }

  private List<TargetReport> reports() {
    var reports = new ArrayList<TargetReport>();
    for (SimTarget target : targets) {
      var report =
          TargetReport.newBuilder()
              .setTargetId(target.number())
              .setLocalState(RoutingMessages.toMessage(LocalState.ONLINE));
      replicas.forEach((place, replica) -> {
        if (place.target().equals(target.id()) && replica.core().chainVersion() > 0) {
          report.addChains(
              ChainReport.newBuilder()
                  .setChainId(place.chain().value())
                  .setLocalState(RoutingMessages.toMessage(replica.core().localState()))
                  .setChainVersion(replica.core().chainVersion()));
        }
      });
      reports.add(report.build());
    }
    return reports;
  }

  private void sendHeartbeat(List<TargetReport> reports) {
    var request =
        HeartbeatRequest.newBuilder()
            .setClusterId(SimLog.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(incarnation())
            .setRoutingVersion(routing.version().value())
            .setSequence(++heartbeats)
            .addAllTargets(reports)
            .build();
    long sentNanos = process.clockNanos();
    toMeta(
        request,
        answer -> {
          if (answer instanceof HeartbeatReply reply) {
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
        replicas.values().forEach(replica -> replica.lease(leaseUntilNanos));
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
    for (Chain chain : new TreeMap<>(routing.chains()).values()) {
      for (ChainMember member : chain.members()) {
        targets.stream()
            .filter(target -> target.id().equals(member.target()))
            .findFirst()
            .ifPresent(target -> replica(chain.id(), target).chainChanged(chain));
      }
    }
  }

  private SimReplica replica(ChainId chain, SimTarget target) {
    var place = new Place(chain, target.id());
    SimReplica known = replicas.get(place);
    if (known != null) {
      return known;
    }
    var made = new SimReplica(cluster, target, chain);
    replicas.put(place, made);
    if (leased) {
      made.lease(leaseUntilNanos);
    }
    return made;
  }

  private void tick() {
    replicas.values().forEach(SimReplica::tick);
    process.later(cluster.chainLimits().tickNanos(), this::tick);
  }

  /** Takes a request of the data plane. */
  void receive(Message message, Network.ReplySink<Message.Answer> sink) {
    SimReplica replica = placeOf(message.request()).map(replicas::get).orElse(null);
    if (replica == null) {
      fetchRouting();
      sink.reply(
          new Message.Answer(
              Reply.failure(message.request(), ErrorCode.UNKNOWN_CHAIN), Content.MISSING));
    } else {
      replica.receive(message, sink);
    }
  }

  private static Optional<Place> placeOf(Request request) {
    return Optional.ofNullable(
        switch (request) {
          case Hello _ -> null;
          case ReadRequest read ->
              new Place(read.ranges().getFirst().chain(), read.ranges().getFirst().target());
          case UpdateRequest update -> new Place(update.chain(), update.target());
          case ForwardRequest forward -> new Place(forward.chain(), forward.to());
          case VersionRequest question -> new Place(question.chain(), question.target());
          case ChunkListRequest list -> new Place(list.chain(), list.target());
          case SyncStartRequest start -> new Place(start.chain(), start.to());
          case InventoryRequest inventory -> new Place(inventory.chain(), inventory.target());
          case DedupRequest dedup -> new Place(dedup.chain(), dedup.to());
          case SyncDoneRequest done -> new Place(done.chain(), done.to());
        });
  }

  /** Hears how a call to a peer ended. */
  interface PeerAsker {
    void answered(Reply reply);

    void failed(ErrorCode code);
  }

  void call(TargetId to, Message message, PeerAsker asker) {
    Optional<SimServer> peer = routing.nodeOf(to).map(StorageNode::host).flatMap(cluster::serverAt);
    if (peer.isEmpty()) {
      process.later(MILLI, () -> asker.failed(ErrorCode.CONNECTION_LOST));
      return;
    }
    cluster
        .network()
        .<Message, Message.Answer>call(
            process,
            peer.get().process(),
            peer.get()::receive,
            message,
            cluster.callTimeoutNanos(),
            new Network.Asker<>() {
              @Override
              public void answered(Message.Answer answer) {
                asker.answered(answer.reply());
              }

              @Override
              public void failed(boolean refused) {
                asker.failed(refused ? ErrorCode.CONNECTION_LOST : ErrorCode.TIMED_OUT);
              }
            });
  }

  private void toMeta(
      Object request, java.util.function.Consumer<Object> answered, Runnable failed) {
    cluster.callMeta(process, request, answered, failed);
  }

  /** It went on after being held. */
  void resumed() {
    if (leased && !leased()) {
      world.met(Probe.PAUSED_BEYOND_LEASE);
    }
  }
}
