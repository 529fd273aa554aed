package luciola.simulation.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.meta.cluster.ClusterState;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.Incarnation;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.host.ReplicaHost;
import luciola.storage.peer.Peers;
import luciola.storage.peer.RoutingSource;
import luciola.storage.peer.WholeChunks;
import luciola.storage.replica.ChainObserver;
import luciola.storage.replica.ReplicaParts;
import luciola.storage.replica.ReplicaSettings;
import luciola.storage.resync.ResyncLimits;
import luciola.storage.resync.TokenBucket;
import org.jspecify.annotations.Nullable;

/**
 * A storage-server: registers, heartbeats, keeps routing as {@code Membership} and {@code
 * RoutingFeed} do, and runs the production {@link ReplicaHost} over the production engines of its
 * targets.
 */
final class SimServer implements ChainObserver {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000_000;
  private static final long RESYNC_BYTES_PER_SECOND = 4 << 20;
  private static final ResyncLimits RESYNC = new ResyncLimits(2, 3, 2, 10 * MILLI, 20);

  private static final int READ_THREADS = 2;

  private final World world;
  private final Cluster cluster;
  private final SimProcess process;
  private final int number;
  private final ReplicaSettings settings;
  private final PeerBugs bugs;
  private final List<SimTarget> targets = new ArrayList<>();
  private final Map<Place, ReplicaWatch> watches = new TreeMap<>();
  private Routing routing = Routing.EMPTY;
  private @Nullable ReplicaHost host;
  private long nodeId;
  private long heartbeats;
  private long leaseUntilNanos;
  private int callsOpen;
  private boolean leased;
  private boolean heartbeatSoon;
  private boolean fetchingRouting;
  private boolean reading;
  private boolean readDecided;

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
    this.bugs = new PeerBugs(cluster, this);
    this.settings =
        new ReplicaSettings(cluster.chainLimits(), RESYNC, Duration.ofMillis(30), READ_THREADS);
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

  Routing routing() {
    return routing;
  }

  PeerBugs bugs() {
    return bugs;
  }

  /** Its replicas, as far as they were ever told something. */
  Collection<ReplicaWatch> replicas() {
    return watches.values();
  }

  Optional<ReplicaWatch> replica(ChainId chain, TargetId target) {
    return Optional.ofNullable(watches.get(new Place(chain, target)));
  }

  boolean hosts(ChainId chain, TargetId target) {
    return watches.containsKey(new Place(chain, target));
  }

  /** Whether it answers nobody any more. */
  boolean quiet() {
    return callsOpen == 0;
  }

  /** Whether it may serve by its own clock. */
  boolean leased() {
    return process.up() && leased && process.clockNanos() - leaseUntilNanos < 0;
  }

  // Its lives.

  void start() {
    process.start();
    watches.clear();
    bugs.newLife();
    routing = Routing.EMPTY;
    leased = false;
    heartbeatSoon = false;
    fetchingRouting = false;
    heartbeats = 0;
    callsOpen = 0;
    var engines = new HashMap<SimTarget, ChunkEngine>();
    targets.forEach(target -> engines.put(target, target.open()));
    process.later(world.between(MILLI, 30 * MILLI), () -> register(engines));
  }

  /**
   * @param power whether the machine dies, not only the process
   */
  void crash(boolean power) {
    watches.values().forEach(ReplicaWatch::meetCrash);
    meetDrain();
    process.stop();
    host = null;
    targets.forEach(target -> target.crash(power));
    watches.clear();
  }

  /** A failed target's disk is well again: it is closed and opened while the process goes on. */
  void reopen(SimTarget target) {
    ReplicaHost hosting = host;
    if (hosting == null || target.engine().filter(it -> !it.isHealthy()).isEmpty()) {
      return;
    }
    world.log("fault", () -> "disk is well again " + target);
    var _ =
        hosting
            .detach(target.id(), "its disk failed")
            .thenAccept(_ -> {
              target.shut();
              process.later(
                  world.between(MILLI, 200 * MILLI),
                  () -> {
                    world.met(Probe.DISK_MENDED);
                    world.log(process.name(), () -> "opens again " + target);
                    hosting.attach(target.id(), target.open());
                  });
            });
  }

  private void meetDrain() {
    ClusterState state = cluster.log().decided();
    if (targets.stream()
        .filter(SimTarget::registered)
        .map(SimTarget::id)
        .anyMatch(target -> state.draining(target) && !state.chainsOf(target).isEmpty())) {
      world.met(Probe.DRAIN_INTERRUPTED);
    }
  }

  /** Whether one of its targets is of no use before it starts again. */
  boolean failed() {
    return watches.values().stream().anyMatch(ReplicaWatch::failed)
        || targets.stream()
            .anyMatch(target -> target.engine().filter(it -> !it.isHealthy()).isPresent());
  }

  private ReplicaHost serve(Map<SimTarget, ChunkEngine> engines) {
    var thread = new SimThread(process);
    Executor readers =
        command -> {
          boolean decided = readDecided;
          readDecided = false;
          process.later(
              world.between(5 * MICRO, 600 * MICRO),
              () -> {
                if (!decided || !process.heldBeforeRead(() -> onReader(command))) {
                  onReader(command);
                }
              });
        };
    var source =
        new RoutingSource() {
          @Override
          public Routing routing() {
            return routing;
          }

          @Override
          public void refresh() {
            fetchRouting();
          }
        };
    var byId = new TreeMap<TargetId, ChunkEngine>();
    engines.forEach((target, engine) -> byId.put(target.id(), engine));
    var peerTimeout = Duration.ofNanos(Math.max(cluster.callTimeoutNanos(), 100 * MILLI));
    return new ReplicaHost(
        byId,
        new ReplicaParts(
            settings,
            _ -> thread,
            readers,
            new Peers(source, this::connect, peerTimeout),
            source,
            new WholeChunks(readers, cluster.memory()),
            this::clockNanos,
            cluster.collectLimits(),
            new TokenBucket(RESYNC_BYTES_PER_SECOND),
            this::heartbeatSoon,
            this));
  }

  private void onReader(Runnable command) {
    reading = true;
    command.run();
    reading = false;
    for (SimTarget target : targets) {
      if (target.foundErrors()) {
        world.met(Probe.ROT_FOUND_BY_READ);
      }
    }
  }

  /** The clock of leases; planted, one that stands still while a read is under way. */
  private long clockNanos() {
    return process.clockNanos()
        - (reading && cluster.has(PlantedBug.NO_CHECK_AFTER_READ) ? 1000 * MILLI : 0);
  }

  private CompletableFuture<DataClient> connect(String address, int port) {
    var result = new CompletableFuture<DataClient>();
    Optional<SimServer> peer = cluster.serverAt(address);
    process.later(
        world.between(50 * MICRO, 600 * MICRO),
        () -> {
          if (peer.isPresent() && cluster.reach(this, peer.get())) {
            result.complete(new SimConnection(cluster, this, peer.get()));
          } else {
            result.completeExceptionally(
                new LuciolaException(ErrorCode.CONNECTION_LOST, "connect: " + address));
          }
        });
    return result;
  }

  // What its replicas decide.

  @Override
  public void stepped(
      ChainId chain,
      TargetId target,
      ChainEvent event,
      List<ChainEffect> effects,
      ChainReplica replica) {
    var place = new Place(chain, target);
    ReplicaWatch watch = watches.get(place);
    if (watch == null || watch.core() != replica) {
      SimTarget of = cluster.target(target).orElseThrow();
      watch = new ReplicaWatch(cluster, of, chain, of.engine().orElseThrow(), replica);
      watch.follows(watches.get(place));
      watches.put(place, watch);
    }
    watch.stepped(event, effects);
    readDecided = effects.stream().anyMatch(ChainEffect.ServeRead.class::isInstance);
  }

  @Override
  public void broke(ChainId chain, TargetId target, RuntimeException cause) {
    if (cause instanceof RuleBroken broken) {
      throw broken;
    }
    throw new IllegalStateException("replica broke: chain=" + chain + " target=" + target, cause);
  }

  private long incarnation() {
    return Incarnation.after((long) (process.life() - 1) << Integer.SIZE, number);
  }

  private void register(Map<SimTarget, ChunkEngine> engines) {
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
            registered(reply, engines);
          } else {
            process.later(50 * MILLI, () -> register(engines));
          }
        },
        () -> process.later(50 * MILLI, () -> register(engines)));
  }

  private void registered(RegisterReply reply, Map<SimTarget, ChunkEngine> engines) {
    nodeId = reply.getNodeId();
    for (int i = 0; i < targets.size(); i++) {
      targets.get(i).number(reply.getTargetIds(i));
    }
    host = serve(engines);
    heartbeat();
    process.later(20 * MILLI, this::tick);
    process.later(world.between(50 * MILLI, 200 * MILLI), this::scrub);
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
    watches.values().forEach(ReplicaWatch::meetDropped);
    List<TargetReport> reports = reports();
    List<PeerReport> unreachable = unreachable();
    if (!process.heldBefore(() -> sendHeartbeat(reports, unreachable))) {
      sendHeartbeat(reports, unreachable);
    }
  }

  private List<TargetReport> reports() {
    ReplicaHost hosting = host;
    return hosting == null ? List.of() : hosting.reports();
  }

  private List<PeerReport> unreachable() {
    ReplicaHost hosting = host;
    return hosting == null ? List.of() : hosting.unreachable();
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
        ReplicaHost hosting = host;
        if (hosting != null) {
          hosting.leaseChanged(leaseUntilNanos);
        }
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
    ReplicaHost hosting = host;
    if (hosting != null) {
      hosting.routingChanged(routing);
    }
  }

  private void tick() {
    ReplicaHost hosting = host;
    if (hosting != null && cluster.has(PlantedBug.SERVE_WITHOUT_LEASE)) {
      hosting.leaseChanged(process.clockNanos() + 1_000_000 * MILLI);
    }
    process.later(20 * MILLI, this::tick);
  }

  private void scrub() {
    for (SimTarget target : targets) {
      if (target.rotten()) {
        List.copyOf(watches.values()).stream()
            .filter(watch -> watch.self().equals(target.id()))
            .forEach(watch -> target.scrub(watch.chainId()));
      }
    }
    process.later(world.between(50 * MILLI, 200 * MILLI), this::scrub);
  }

  /** Takes a request of the data plane, over a connection to one of its lives. */
  void receive(int life, Message message, Network.ReplySink<Message.Answer> sink) {
    ReplicaHost hosting = host;
    if (life != process.life()) {
      sink.reply(Message.Answer.GONE);
    } else if (hosting == null) {
      sink.reply(
          new Message.Answer(
              Reply.failure(message.request(), ErrorCode.UNKNOWN_CHAIN), Message.NO_BYTES));
    } else {
      callsOpen++;
      hosting.handle(
          new SimCall(
              message.request(),
              payload(message.payload()),
              (reply, bytes) -> {
                callsOpen--;
                answer(message.request(), new Message.Answer(reply, bytes), sink);
              }));
    }
  }

  private PayloadBuffer payload(byte[] bytes) {
    if (bytes.length == 0) {
      return PayloadBuffer.empty();
    }
    PayloadBuffer buffer = cluster.memory().tryAcquire(bytes.length).orElseThrow();
    buffer.segment().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
    return buffer;
  }

  /** Who answers a read serves at that very time, whatever it decided before. */
  private void answer(
      Request request, Message.Answer answer, Network.ReplySink<Message.Answer> sink) {
    if (answer.reply() instanceof ReadReply reply && request instanceof ReadRequest read) {
      for (int i = 0; i < reply.results().size(); i++) {
        ReadRequest.Range range = read.ranges().get(i);
        ErrorCode code = reply.results().get(i).code();
        if (code == ErrorCode.OK) {
          Optional<ReplicaWatch> replica = replica(range.chain(), range.target());
          if (replica.isPresent()) {
            replica.get().answers(range);
          } else {
            cluster
                .rules()
                .authority
                .serves(range.target(), cluster.books(range.chain()), Long.MAX_VALUE);
          }
        } else if (code == ErrorCode.NO_LEASE && reading) {
          world.met(Probe.LEASE_ENDED_WHILE_READING);
        }
      }
    }
    if (!process.heldBefore(() -> sink.reply(answer))) {
      if (process.paused()) {
        process.later(0, () -> sink.reply(answer));
      } else {
        sink.reply(answer);
      }
    } else {
      world.met(Probe.EFFECT_DELAYED_BY_PAUSE);
    }
  }

  /** A call of a planted bug. */
  void call(TargetId to, Request request) {
    cluster
        .target(to)
        .map(SimTarget::server)
        .ifPresent(peer ->
            cluster
                .network()
                .<Message, Message.Answer>call(
                    process,
                    peer.process(),
                    (arrived, sink) -> peer.receive(peer.process().life(), arrived, sink),
                    new Message(request, Message.NO_BYTES),
                    cluster.callTimeoutNanos(),
                    new Network.Asker<>() {
                      @Override
                      public void answered(Message.Answer answer) {}

                      @Override
                      public void failed(boolean refused) {}
                    }));
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
