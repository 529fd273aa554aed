package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.ServerSettings;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.DataClients;
import luciola.protocol.connection.DataHandler;
import luciola.protocol.connection.DataServer;
import luciola.protocol.connection.DataServerOptions;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.HelloVerifier;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.control.HostPort;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.RoutingFeed;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.storage.chain.CollectLimits;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.host.ReplicaHost;
import luciola.storage.peer.OtherReplicas;
import luciola.storage.peer.Peers;
import luciola.storage.peer.RoutingSource;
import luciola.storage.peer.WholeChunks;
import luciola.storage.replica.ChainObserver;
import luciola.storage.replica.ReplicaParts;
import luciola.storage.resync.TokenBucket;
import luciola.storage.scrub.ScrubSettings;
import luciola.storage.scrub.ScrubState;
import luciola.storage.scrub.TargetScrub;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running storage-server: {@link #start}, {@link #port}, {@link #close}.
 *
 * <pre>
 * calls ──event loops──&gt; RequestRouter ──the chain's lane──&gt; ChainRunner ──&gt; ChainReplica
 *                                                                        │ effects
 *          ChunkEngine (writers, commit loop, readers) &lt;────────────┼───&gt; Peers (other servers)
 * cluster manager ──heartbeats, leases, routing──&gt; Membership, RoutingFeed ──&gt; Runners
 * </pre>
 */
public final class StorageServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StorageServer.class);
  private static final long SEND_MEMORY_BYTES = 256L << 20;

  private final StorageServerConfig config;
  private final Target.Opener opener;
  private final Deque<Part> parts = new ArrayDeque<>();
  private final AtomicReference<@Nullable Membership> membership = new AtomicReference<>();
  private final AtomicReference<@Nullable DataHandler> handler = new AtomicReference<>();
  private final AtomicLong scrubBytesPerSecond;
  private final ServerKeys keys;
  private long incarnation;
  private int port;
  private NodeId node = new NodeId(1);

  private StorageServer(StorageServerConfig config, Target.Opener opener) {
    this.config = config;
    this.opener = opener;
    this.keys = new ServerKeys(config.security().required());
    this.scrubBytesPerSecond = new AtomicLong(config.scrubBytesPerSecond());
  }

  /** Something to close, in reverse order of its start. */
  private record Part(String name, AutoCloseable closeable) {}

  /**
   * Opens the targets, registers, and serves until closed.
   *
   * @throws IOException if a directory or the address cannot be used
   * @throws LuciolaException WRONG_CLUSTER, FORMAT_TOO_NEW, CORRUPT_DATA, INVALID_ARGUMENT (a
   *     directory in use), or CONNECTION_LOST or TIMED_OUT if no meta-server answers
   */
  public static StorageServer start(StorageServerConfig config) throws IOException {
    return start(
        config,
        (path, replicas) ->
            ChunkEngine.open(String.valueOf(path.getFileName()), path, config.engine(), replicas));
  }

  /** The same with engines that are opened so. */
  static StorageServer start(StorageServerConfig config, Target.Opener opener) throws IOException {
    var server = new StorageServer(config, opener);
    try {
      server.run();
      return server;
    } catch (IOException | RuntimeException e) {
      server.closeParts();
      throw e;
    }
  }

  /** The data-plane port. */
  public int port() {
    return port;
  }

  /** The number that the cluster manager gave. */
  public NodeId node() {
    return node;
  }

  private <T extends AutoCloseable> T part(String name, T part) {
    parts.push(new Part(name, part));
    return part;
  }

  private void run() throws IOException {
    config.security().warnIfOpen("storage-server", config.host());
    MetaConnection meta =
        part(
            "meta connection",
            MetaConnection.connect(
                MetaOptions.of(config.metaAddresses())
                    .withCallNanos(config.startTimeout().toNanos())
                    .withAccess(config.security().asServer())));
    ClusterId cluster = meta.cluster();
    TargetDirectory directory =
        part("data directory", TargetDirectory.open(config.dataDirectory()));
    directory.bindCluster(cluster.value());
    keys.recordIn(part("audit log", config.security().auditIn(config.dataDirectory())));
    var targets = new ArrayList<Target>();
    for (Path path : config.targets()) {
      targets.add(part("target", Target.open(path, cluster, opener)));
    }
    incarnation = Registrar.newLife(meta, directory, targets);
    EventLoops loops =
        part("event loops", EventLoops.start("storage-net", config.eventLoopThreads()));
    PayloadPool received = part("payloads", new PayloadPool(config.payloadBytes()));
    DataServer server = bind(loops, received, cluster, directory);
    port = server.port();
    RegisterReply registered =
        new Registrar(
                meta,
                directory,
                targets,
                new HostPort(config.host(), port),
                config.labels(),
                incarnation,
                config.security().required())
            .register();
    node = new NodeId(registered.getNodeId());
    RoutingFeed routing = part("routing", RoutingFeed.start(meta));
    ReplicaParts shared = shared(loops, cluster, routing);
    Map<TargetId, ChunkEngine> byId = byId(targets, shared);
    var host = new ReplicaHost(byId, shared);
    var keepers = new ConcurrentHashMap<TargetId, TargetKeeper>();
    routing.onChange(host::routingChanged);
    host.routingChanged(routing.routing());
    handler.set(host);
    join(meta, routing, registered, host, keepers, shared.resyncBudget());
    // Closed before the last word to the manager: first stop serving, then say so.
    part("replicas", host);
    for (Target target : targets) {
      keepers.put(
          target.id(),
          part(
              "keeper",
              new TargetKeeper(target, host, open -> scrub(open, host), config.reopen())));
    }
    log.info("storage-server serves node={} port={} targets={}", node, port, byId.keySet());
  }

  private DataServer bind(
      EventLoops loops, PayloadPool received, ClusterId cluster, TargetDirectory directory)
      throws IOException {
    HelloVerifier verifier =
        hello ->
            HelloVerifier.ofCluster(cluster, directory.number("node"), incarnation).verify(hello);
    return part(
        "data server",
        DataServer.bind(
            loops,
            DataServerOptions.DEFAULTS,
            config.host(),
            config.port(),
            received,
            verifier,
            keys,
            config.security().serverTls(),
            call -> {
              DataHandler ready = handler.get();
              if (ready == null) {
                call.fail(ErrorCode.UNKNOWN_CHAIN);
              } else {
                ready.handle(call);
              }
            }));
  }

  private ReplicaParts shared(EventLoops loops, ClusterId cluster, RoutingFeed feed) {
    RoutingSource routing = RoutingSource.of(feed);
    DataClients clients =
        part(
            "connections",
            new DataClients(
                loops,
                DataClientOptions.DEFAULTS,
                new Hello(cluster, Hello.PROTOCOL_VERSION, incarnation),
                keys,
                config.security().callerTls()));
    Peers peers = new Peers(routing, clients::client, config.peerTimeout());
    ExecutorService readers =
        part(
            "readers",
            Executors.newFixedThreadPool(
                config.readThreads(),
                Thread.ofPlatform().name("storage-read-", 0).daemon().factory()));
    PayloadPool sent = part("send memory", new PayloadPool(SEND_MEMORY_BYTES));
    Owners owners = part("owners", new Owners(config.ownerThreads()));
    return new ReplicaParts(
        config.replicas(),
        owners::of,
        readers,
        peers,
        routing,
        new WholeChunks(readers, sent),
        System::nanoTime,
        CollectLimits.keeping(config.tombstoneKeep().toSeconds()),
        new TokenBucket(config.resyncBytesPerSecond()),
        () -> {
          Membership joined = membership.get();
          if (joined != null) {
            joined.reportNow();
          }
        },
        ChainObserver.NONE);
  }

  private static Map<TargetId, ChunkEngine> byId(List<Target> targets, ReplicaParts shared) {
    var byId = new LinkedHashMap<TargetId, ChunkEngine>();
    for (Target target : targets) {
      target.repairFrom(new OtherReplicas(target.id(), shared.routing(), shared.peers()));
      byId.put(target.id(), target.engine());
    }
    return byId;
  }

  private static ScrubState stateOf(@Nullable TargetKeeper keeper) {
    return keeper == null ? ScrubState.NONE : keeper.scrubState();
  }

  private static void reopen(HeartbeatReply reply, Map<TargetId, TargetKeeper> keepers) {
    for (long id : reply.getReopenTargetsList()) {
      TargetKeeper keeper = id < 1 ? null : keepers.get(new TargetId(id));
      if (keeper != null) {
        keeper.openNow();
      }
    }
  }

  private TargetScrub scrub(Target target, ReplicaHost host) {
    TargetId id = target.id();
    return new TargetScrub(
        "target-" + id.value(),
        target.engine(),
        () -> host.chainsOf(id),
        new ScrubSettings(
            scrubBytesPerSecond::get,
            config.scrubPeriod(),
            config.dedupKeep(),
            target.path().resolve("scrub")));
  }

  /** What operators set; 0 is what the configuration says. */
  private void apply(ServerSettings settings, TokenBucket resyncBudget) {
    long resync = settings.getResyncBytesPerSecond();
    long wanted = resync > 0 ? resync : config.resyncBytesPerSecond();
    if (resyncBudget.bytesPerSecond() != wanted) {
      log.info("bandwidth of resync bytesPerSecond={}", wanted);
      resyncBudget.rate(wanted, System.nanoTime());
    }
    long scrub = settings.getScrubBytesPerSecond();
    scrubBytesPerSecond.set(scrub > 0 ? scrub : config.scrubBytesPerSecond());
  }

  private void join(
      MetaConnection meta,
      RoutingFeed routing,
      RegisterReply registered,
      ReplicaHost host,
      Map<TargetId, TargetKeeper> keepers,
      TokenBucket resyncBudget) {
    var joined =
        new Membership(
            meta,
            routing,
            registered.getNodeId(),
            incarnation,
            registered.getTimings(),
            () -> host.reports(id -> stateOf(keepers.get(id))),
            host::unreachable,
            host::leaseChanged,
            reply -> {
              keys.learned(reply.getDataKeysList());
              apply(reply.getSettings(), resyncBudget);
              reopen(reply, keepers);
            });
    membership.set(joined);
    part("membership", () -> joined.leave(host.offline()));
    if (!joined.awaitHeard(config.startTimeout())) {
      throw new LuciolaException(
          ErrorCode.TIMED_OUT, "no heartbeat was answered: meta=" + config.metaAddresses());
    }
  }

  /** Leaves the cluster, finishes what is under way, and closes everything. */
  @Override
  public void close() {
    log.info("storage-server stops node={} port={}", node, port);
    closeParts();
  }

  private void closeParts() {
    while (!parts.isEmpty()) {
      Part part = parts.pop();
      try {
        part.closeable().close();
      } catch (Exception e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        log.warn("part did not close part={}", part.name(), e);
      }
    }
  }
}
