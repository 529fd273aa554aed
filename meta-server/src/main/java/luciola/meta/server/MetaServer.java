package luciola.meta.server;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import luciola.meta.access.UserRates;
import luciola.meta.log.LogConfig;
import luciola.meta.log.Member;
import luciola.meta.log.MemberTls;
import luciola.meta.log.MetaLog;
import luciola.meta.store.DataDirectory;
import luciola.meta.store.RocksStore;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.control.ControlTls;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A meta-server: {@code try (MetaServer server = MetaServer.start(config)) { … }}. Alone, it is
 * ready when {@code start} returns; as one of several it returns at once and serves when there is a
 * leader. On an empty directory it makes a new cluster.
 */
public final class MetaServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetaServer.class);
  private static final long READY_SECONDS_MAX = 60;
  private static final int MESSAGE_BYTES_MAX = 2 << 20;
  private static final int LONG_READS_MAX = 1024;

  private final DataDirectory directory;
  private final RocksStore store;
  private final ClusterDriver driver;
  private final RoutingWatchers watchers;
  private final PeerLinks peers;
  private final MetaLog log;
  private final ThreadPoolExecutor longReads;
  private final AdminService admin;
  private final TicketDesk tickets;
  private final AuditLog audit;
  private final Server server;
  private boolean closed;

  private MetaServer(
      DataDirectory directory,
      RocksStore store,
      ClusterDriver driver,
      RoutingWatchers watchers,
      PeerLinks peers,
      MetaLog log,
      ThreadPoolExecutor longReads,
      AdminService admin,
      TicketDesk tickets,
      AuditLog audit,
      Server server) {
    this.directory = directory;
    this.store = store;
    this.driver = driver;
    this.watchers = watchers;
    this.peers = peers;
    this.log = log;
    this.longReads = longReads;
    this.admin = admin;
    this.tickets = tickets;
    this.audit = audit;
    this.server = server;
  }

  /**
   * Starts a meta-server.
   *
   * @throws LuciolaException if the port is taken, the directory is in use, of another cluster or
   *     of a newer format; nothing is left running then
   */
  public static MetaServer start(MetaServerConfig asked) {
    MetaServerConfig config = asked.withAddress(asked.host(), freePort(asked));
    config.security().warnIfOpen("meta-server", config.host());
    if (config.members().size() > 1) {
      config.security().warnOfTheLog(config.host());
    }
    var directory = DataDirectory.open(config.directory(), config.clusterId());
    var undo = new Undo();
    undo.add(directory);
    try {
      RocksStore store = RocksStore.open(directory.database(), config.cacheBytes());
      undo.add(store);
      var watchers = new RoutingWatchers();
      var driver = new ClusterDriver(config, directory, store, _ -> watchers.changed());
      undo.add(driver);
      var peers = new PeerLinks(config);
      undo.add(peers);
      MetaLog log = MetaLog.start(logConfig(config, directory), store, driver, peers);
      undo.add(log);
      peers.start(log);
      driver.start(log);
      ThreadPoolExecutor longReads = longReads();
      undo.add(longReads::shutdownNow);
      var admin = new AdminService(log, store, driver);
      undo.add(admin);
      var tickets = new TicketDesk(log, config.security());
      undo.add(tickets);
      AuditLog audit = config.security().auditIn(config.directory());
      undo.add(audit);
      var rates = new UserRates(config.security().operationsPerSecond());
      var gate = new AccessGate(config.security(), log::access, audit);
      NettyServerBuilder builder =
          NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
              .directExecutor()
              .maxInboundMessageSize(MESSAGE_BYTES_MAX)
              .addService(
                  new NamespaceService(
                      log,
                      store,
                      driver,
                      longReads,
                      config.streamRequestsMax(),
                      tickets,
                      rates,
                      audit))
              .addService(new ClusterService(config, log, driver, watchers, tickets))
              .addService(admin)
              .addService(new AccessService(log, config.security(), tickets))
              .intercept(gate);
      ControlTls.listen(builder, config.security());
      if (!config.security().clientAuthorities().toString().isEmpty()) {
        var _ =
            builder.addTransportFilter(
                new ClientCertificates(config.security().clientAuthorities()));
      }
      Server server = builder.build();
      listen(server, config);
      undo.add(server::shutdownNow);
      var started =
          new MetaServer(
              directory, store, driver, watchers, peers, log, longReads, admin, tickets, audit,
              server);
      if (config.members().size() <= 1) {
        awaitReady(driver);
      }
      LOG.info(
          "meta-server started: address={}:{} directory={} cluster={}",
          config.host(),
          server.getPort(),
          config.directory(),
          Long.toHexString(log.cluster().clusterId()));
      return started;
    } catch (RuntimeException | Error failed) {
      undo.run();
      throw failed;
    }
  }

  /**
   * The port to listen on. It is chosen and tried before anything else is started, because the log
   * must know this member's address and a port that is taken is the most frequent mistake.
   */
  private static int freePort(MetaServerConfig config) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(config.host(), config.port()));
      return probe.getLocalPort();
    } catch (IOException taken) {
      throw portTaken(config, taken);
    }
  }

  private static void listen(Server server, MetaServerConfig config) {
    try {
      var _ = server.start();
    } catch (IOException taken) {
      throw portTaken(config, taken);
    }
  }

  private static LuciolaException portTaken(MetaServerConfig config, IOException cause) {
    return new LuciolaException(
        ErrorCode.INVALID_ARGUMENT,
        "cannot listen, the port is taken or the address is not this machine's: host="
            + config.host()
            + " port="
            + config.port()
            + " cause="
            + cause.getMessage(),
        cause);
  }

  private static LogConfig logConfig(MetaServerConfig config, DataDirectory directory) {
    List<Member> members =
        config.members().isEmpty()
            ? List.of(new Member(config.self(), config.host(), 0, config.port()))
            : config.members();
    return new LogConfig(
        directory.raft(),
        config.self(),
        members,
        config.commandsMax(),
        1 << 20,
        2,
        config.queueMax(),
        config.electionMillis(),
        config.snapshotEntries(),
        64 << 20,
        memberTls(config.security()));
  }

  private static @Nullable MemberTls memberTls(SecuritySettings security) {
    return security.tls() && !security.memberCertificates().toString().isEmpty()
        ? new MemberTls(security.certificate(), security.key(), security.memberCertificates())
        : null;
  }

  private static ThreadPoolExecutor longReads() {
    int threads = Math.max(2, Runtime.getRuntime().availableProcessors());
    return new ThreadPoolExecutor(
        threads,
        threads,
        0,
        TimeUnit.SECONDS,
        new ArrayBlockingQueue<>(LONG_READS_MAX),
        Thread.ofPlatform().name("meta-read-", 0).daemon().factory());
  }

  private static void awaitReady(ClusterDriver driver) {
    try {
      var _ = driver.initialised().get(READY_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw Answers.fault(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      throw new LuciolaException(
          ErrorCode.TIMED_OUT, "the log has no leader: waited_s=" + READY_SECONDS_MAX, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LuciolaException(ErrorCode.CANCELLED, "start: interrupted", e);
    }
  }

  /** The port it listens on. */
  public int port() {
    return server.getPort();
  }

  /** The cluster's number; 0 while there is none. */
  public long clusterId() {
    return log.cluster().clusterId();
  }

  /** Whether this member leads. */
  public boolean leads() {
    return log.leads();
  }

  /** Completes, with the cause, if the state is broken: the process then has to stop. */
  public CompletableFuture<Throwable> broken() {
    return driver.broken().copy();
  }

  /** Stops: no new calls, the log ends, the state is written out. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    watchers.close();
    server.shutdown();
    try {
      if (!server.awaitTermination(1, TimeUnit.SECONDS)) {
        server.shutdownNow();
        var _ = server.awaitTermination(5, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      server.shutdownNow();
    }
    longReads.shutdownNow();
    admin.close();
    tickets.close();
    audit.close();
    driver.close();
    log.close();
    peers.close();
    store.close();
    directory.close();
    LOG.info("meta-server stopped");
  }
}
