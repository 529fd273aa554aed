package luciola.simulation.cluster;

import java.util.ArrayList;
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
import luciola.meta.cluster.ClusterTimings;
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
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.Content;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** A storage-server with one target: registers, heartbeats, keeps routing, hosts replicas. */
final class SimServer {
  private static final long MILLI = 1_000_000;

  private final World world;
  private final Network network;
  private final Cluster cluster;
  private final ClusterTimings timings;
  private final SimProcess process;
  private final int number;
  private final Optional<PlantedBug> bug;
  private final Map<ChainId, SimDisk> disks = new TreeMap<>();
  private final Map<ChainId, SimReplica> replicas = new TreeMap<>();
  private Routing routing = Routing.EMPTY;
  private long nodeId;
  private long targetId;
  private long heartbeats;
  private long leaseUntilNanos;
  private boolean leased;
  private boolean heartbeatSoon;
  private boolean fetchingRouting;
  private double diskErrorChance;
  private double noSpaceChance;

  SimServer(Cluster cluster, int number, double driftMax, Optional<PlantedBug> bug) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.network = cluster.network();
    this.timings = cluster.timings();
    this.number = number;
    this.bug = bug;
    this.process = new SimProcess(world, "server" + number, driftMax);
  }

  SimProcess process() {
    return process;
  }

  String address() {
    return "server" + number + ":1";
  }

  TargetId target() {
    return new TargetId(targetId);
  }

  boolean registered() {
    return targetId != 0;
  }

  Iterable<SimReplica> replicas() {
    return replicas.values();
  }

  SimDisk disk(ChainId chain) {
    return disks.computeIfAbsent(
        chain,
        id -> {
          var disk =
              new SimDisk(
                  world,
                  process,
                  cluster.rules(),
                  process.name() + "/chain" + id,
                  bug.filter(PlantedBug.NO_DEDUP::equals).isPresent());
          disk.failing(diskErrorChance, noSpaceChance);
          return disk;
        });
  }

  void diskFails(double errorChance, double fullChance) {
    diskErrorChance = errorChance;
    noSpaceChance = fullChance;
    disks.values().forEach(disk -> disk.failing(errorChance, fullChance));
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
    process.stop();
    disks.values().forEach(SimDisk::crash);
    replicas.clear();
  }

  private void register() {
    var request =
        RegisterRequest.newBuilder()
            .setClusterId(SimManager.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(number * 1000L + process.life())
            .setAddress(address())
            .addTargets(
                TargetRegistration.newBuilder()
                    .setTargetId(targetId)
                    .setUuid(100 + number)
                    .setDisk("disk")
                    .setCapacityBytes(1L << 40))
            .build();
    toManager(
        request,
        answer -> {
          if (answer instanceof RegisterReply reply && reply.getCode() == 0) {
            nodeId = reply.getNodeId();
            targetId = reply.getTargetIds(0);
            heartbeat();
            process.later(cluster.chainLimits().tickNanos(), this::tick);
          } else {
            process.later(50 * MILLI, this::register);
          }
        },
        () -> process.later(50 * MILLI, this::register));
  }

  private void heartbeat() {
    sendHeartbeat();
    process.later(timings.heartbeatNanos(), this::heartbeat);
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
    long sentNanos = process.clockNanos();
    var report =
        TargetReport.newBuilder()
            .setTargetId(targetId)
            .setLocalState(RoutingMessages.toMessage(LocalState.ONLINE));
    replicas.forEach((chain, replica) ->
        report.addChains(
            ChainReport.newBuilder()
                .setChainId(chain.value())
                .setLocalState(RoutingMessages.toMessage(replica.core().localState()))
                .setChainVersion(replica.core().chainVersion())));
    var request =
        HeartbeatRequest.newBuilder()
            .setClusterId(SimManager.CLUSTER)
            .setNodeId(nodeId)
            .setIncarnation(number * 1000L + process.life())
            .setRoutingVersion(routing.version().value())
            .setSequence(++heartbeats)
            .addTargets(report)
            .build();
    toManager(
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
        long until = sentNanos + reply.getLeaseNanos();
        if (!leased || until > leaseUntilNanos) {
          leased = true;
          leaseUntilNanos = until;
        }
        replicas.values().forEach(replica -> replica.lease(leaseUntilNanos));
      }
    }
  }

  /** Gets routing from the manager, one question at a time. */
  void fetchRouting() {
    if (fetchingRouting) {
      return;
    }
    fetchingRouting = true;
    toManager(
        RoutingRequest.newBuilder()
            .setClusterId(SimManager.CLUSTER)
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
      if (chain.stateOf(target()).isPresent()) {
        SimReplica replica = replicas.get(chain.id());
        if (replica == null) {
          replica = new SimReplica(this, cluster, chain.id(), bug);
          replicas.put(chain.id(), replica);
          if (leased) {
            replica.lease(leaseUntilNanos);
          }
        }
        replica.chainChanged(chain);
      }
    }
  }

  private void tick() {
    replicas.values().forEach(SimReplica::tick);
    process.later(cluster.chainLimits().tickNanos(), this::tick);
  }

  /** Takes a request of the data plane. */
  void receive(Message message, Network.ReplySink<Message.Answer> sink) {
    Optional<ChainId> chain = chainOf(message.request());
    SimReplica replica = chain.map(replicas::get).orElse(null);
    if (replica == null) {
      sink.reply(
          new Message.Answer(
              Reply.failure(message.request(), ErrorCode.UNKNOWN_CHAIN), Content.MISSING));
    } else {
      replica.receive(message, sink);
    }
  }

  private static Optional<ChainId> chainOf(Request request) {
    return switch (request) {
      case Hello _ -> Optional.empty();
      case ReadRequest read -> Optional.of(read.ranges().getFirst().chain());
      case UpdateRequest update -> Optional.of(update.chain());
      case ForwardRequest forward -> Optional.of(forward.chain());
      case VersionRequest question -> Optional.of(question.chain());
      case ChunkListRequest list -> Optional.of(list.chain());
      case SyncStartRequest start -> Optional.of(start.chain());
      case InventoryRequest inventory -> Optional.of(inventory.chain());
      case DedupRequest dedup -> Optional.of(dedup.chain());
      case SyncDoneRequest done -> Optional.of(done.chain());
    };
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
    network.<Message, Message.Answer>call(
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

  private void toManager(
      Object request, java.util.function.Consumer<Object> answered, Runnable failed) {
    cluster.callManager(process, request, answered, failed);
  }

  /** Replicas that the books hold as serving, as their disks have them. */
  List<luciola.simulation.check.AcknowledgedWritesSurvive.Replica> servingDisks(Chain books) {
    var serving = new ArrayList<luciola.simulation.check.AcknowledgedWritesSurvive.Replica>();
    for (TargetId target : books.serving()) {
      cluster.serverOf(target).ifPresent(server -> serving.add(server.disk(books.id())));
    }
    return serving;
  }

  ChainVersion booksVersion(ChainId chain) {
    return cluster.books(chain).version();
  }
}
