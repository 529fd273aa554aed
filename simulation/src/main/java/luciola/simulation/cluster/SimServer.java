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
import luciola.meta.cluster.ClusterState;
import luciola.protocol.connection.DataClient;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.RuleBroken;
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
 * A storage-server: the production {@link ReplicaHost} over the production engines of its targets,
 * with a membership, a place on the data plane and threads of the simulation.
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
  private final SimMembership membership;
  private final SimDataPort port;
  private final List<SimTarget> targets = new ArrayList<>();
  private final Map<Place, ReplicaWatch> watches = new TreeMap<>();
  private @Nullable ReplicaHost host;
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
    this.membership = new SimMembership(cluster, this);
    this.port = new SimDataPort(cluster, this);
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

  int number() {
    return number;
  }

  /** Its replicas' host, once it has registered. */
  Optional<ReplicaHost> host() {
    return Optional.ofNullable(host);
  }

  Routing routing() {
    return membership.routing();
  }

  SimDataPort port() {
    return port;
  }

  /** Whether a read is under way right now. */
  boolean reading() {
    return reading;
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
    return port.quiet();
  }

  /** Whether it may serve by its own clock. */
  boolean leased() {
    return membership.leased();
  }

  // Its lives.

  void start() {
    process.start();
    watches.clear();
    bugs.newLife();
    membership.newLife();
    port.newLife();
    var engines = new HashMap<SimTarget, ChunkEngine>();
    targets.forEach(target -> engines.put(target, target.open()));
    process.later(
        world.between(MILLI, 30 * MILLI), () -> membership.register(() -> registered(engines)));
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
            return membership.routing();
          }

          @Override
          public void refresh() {
            membership.fetchRouting();
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
            membership::heartbeatSoon,
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

  private void registered(Map<SimTarget, ChunkEngine> engines) {
    host = serve(engines);
    membership.heartbeat();
    process.later(20 * MILLI, this::tick);
    process.later(world.between(50 * MILLI, 200 * MILLI), this::scrub);
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

  /** It went on after being held. */
  void resumed() {
    if (membership.lapsed()) {
      world.met(Probe.PAUSED_BEYOND_LEASE);
    }
  }
}
