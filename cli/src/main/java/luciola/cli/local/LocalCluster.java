package luciola.cli.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import luciola.cli.connection.ClusterFile;
import luciola.cli.connection.DataFolder;
import luciola.cli.operate.ClusterView;
import luciola.cli.server.ServerKind;
import luciola.cli.terminal.CommandFailure;
import luciola.grpc.v1.CreateTableRequest;
import luciola.protocol.control.HostPort;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;

/**
 * A whole cluster on this machine: one meta-server, storage-servers with a target each and an
 * agent, either in this JVM or as processes. What it was is read from its data folder, so that it
 * comes back with the same data at the same addresses. Used by one thread at a time; closing it
 * stops every server.
 */
public final class LocalCluster implements AutoCloseable {
  /** Name of the meta-server. */
  public static final String META = "meta-1";

  /** Name of the agent. */
  public static final String AGENT = "agent-1";

  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration CALL = Duration.ofSeconds(5);
  private static final String HOST = "127.0.0.1";

  private final LocalClusterOptions options;
  private final DataFolder folder;
  private final DataFolder.Held held;
  private final Map<String, LocalServer> servers = new LinkedHashMap<>();

  private final long tableRequest = new SecureRandom().nextLong();
  private String clusterId = "";

  private LocalCluster(LocalClusterOptions options, DataFolder folder, DataFolder.Held held) {
    this.options = options;
    this.folder = folder;
    this.held = held;
  }

  /** Name of a storage-server, counted from 1. */
  public static String storage(int number) {
    return "storage-" + number;
  }

  /**
   * Starts every server and returns when all of them serve.
   *
   * @param progress takes a few words at each step
   * @throws CommandFailure if it cannot; nothing is left running then
   */
  public static LocalCluster start(LocalClusterOptions options, Consumer<String> progress)
      throws IOException, InterruptedException {
    var folder = new DataFolder(options.dataFolder());
    DataFolder.Held held =
        folder
            .take()
            .orElseThrow(() ->
                CommandFailure.failed(
                    "a cluster runs in "
                        + options.dataFolder()
                        + " already: luciola local status, luciola local down"));
    var cluster = new LocalCluster(options, folder, held);
    boolean started = false;
    try {
      cluster.startAll(progress);
      started = true;
      return cluster;
    } finally {
      if (!started) {
        cluster.close();
      }
    }
  }

  private void startAll(Consumer<String> progress) throws IOException, InterruptedException {
    plan(ClusterFile.read(folder.path()));
    progress.accept("starting the meta-server");
    require(META).start();
    awaitMeta();
    writeClusterFile();
    progress.accept("starting " + options.storageServers() + " storage-servers");
    for (LocalServer server : servers.values()) {
      if (server.kind() == ServerKind.STORAGE_SERVER) {
        server.start();
      }
    }
    awaitHealthy(options.readyTimeout());
    if (options.agent()) {
      progress.accept("starting the agent");
      require(AGENT).start();
    }
    writeClusterFile();
  }

  private void plan(Optional<ClusterFile> previous) throws IOException {
    var ports = new Ports(previous, options.portBase());
    clusterId = previous.map(ClusterFile::clusterId).orElse("");
    String meta = HOST + ":" + ports.of(META, 0);
    add(META, ServerKind.META_SERVER, meta);
    LocalConfigs.meta(require(META).config(), HostPort.parse(meta));
    for (int number = 1; number <= options.storageServers(); number++) {
      String name = storage(number);
      String address = HOST + ":" + ports.of(name, number);
      add(name, ServerKind.STORAGE_SERVER, address);
      LocalConfigs.storage(require(name).config(), number, HostPort.parse(address), List.of(meta));
    }
    if (options.agent()) {
      Path socket = LocalConfigs.socket(folder.path().resolve(AGENT));
      add(AGENT, ServerKind.AGENT, socket.toString());
      LocalConfigs.agent(require(AGENT).config(), socket, List.of(meta));
    }
  }

  private void add(String name, ServerKind kind, String address) throws IOException {
    Path own = Files.createDirectories(folder.path().resolve(name));
    servers.put(name, new LocalServer(name, kind, address, own, options));
  }

  private LocalServer require(String name) {
    LocalServer server = servers.get(name);
    if (server == null) {
      throw new IllegalArgumentException("no server " + name + " in " + servers.keySet());
    }
    return server;
  }

  /** What is running where. */
  public ClusterFile file() {
    return new ClusterFile(
        ClusterFile.FORMAT, clusterId, servers.values().stream().map(LocalServer::role).toList());
  }

  /** Addresses of the meta-servers. */
  public List<String> metaServers() {
    return file().metaServers();
  }

  /** The agent's socket; empty if none runs. */
  public Optional<Path> agentSocket() {
    return file().role(AGENT).map(role -> Path.of(role.address()));
  }

  /** Kills a server's process by SIGKILL. */
  public void kill(String name) throws InterruptedException {
    require(name).kill();
  }

  /** Stops a server cleanly. */
  public void stop(String name) throws InterruptedException {
    require(name).stop();
  }

  /** Starts a server that was killed or stopped; it is not healthy yet when this returns. */
  public void restart(String name) throws IOException {
    require(name).start();
    writeClusterFile();
  }

  /** The cluster as its meta-server sees it. */
  public ClusterView view() {
    try (var meta = connect()) {
      return ClusterView.of(meta.status());
    }
  }

  /**
   * Waits until every storage-server lives and every replica of every chain serves; makes the first
   * table of chains when there is none.
   *
   * @throws CommandFailure if a server has ended or the time is over
   */
  public void awaitHealthy(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    String seen = "the meta-server does not answer";
    while (System.nanoTime() - deadline < 0) {
      servers.values().stream()
          .filter(server -> server.kind() != ServerKind.AGENT)
          .forEach(LocalServer::checkAlive);
      try (var meta = connect()) {
        ClusterView view = ClusterView.of(meta.status());
        if (view.nodesAlive() >= options.storageServers() && view.tables().isEmpty()) {
          createTable(meta);
          continue;
        }
        if (healthy(view)) {
          return;
        }
        seen =
            view.nodesAlive()
                + " of "
                + options.storageServers()
                + " storage-servers live, "
                + view.chainsWhole()
                + " of "
                + view.chains().size()
                + " chains are whole";
      } catch (LuciolaException notYet) {
        seen = notYet.getMessage();
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
    throw CommandFailure.failed(
        "not ready after "
            + timeout.toSeconds()
            + " s: "
            + seen
            + "; logs are in "
            + folder.path());
  }

  /** Whether every storage-server lives and every replica of every chain serves. */
  public boolean healthy(ClusterView view) {
    return view.nodesAlive() >= options.storageServers()
        && !view.tables().isEmpty()
        && view.chainsWhole() == view.chains().size();
  }

  private void createTable(MetaConnection meta) {
    meta.createTable(
        CreateTableRequest.newBuilder()
            .setReplicas(options.replicas())
            .setRequestId(tableRequest)
            .build());
  }

  private void awaitMeta() {
    long deadline = System.nanoTime() + options.readyTimeout().toNanos();
    while (true) {
      require(META).checkAlive();
      try (var meta = connect()) {
        String answered = ClusterView.of(meta.status()).clusterId();
        if (!clusterId.isEmpty() && !clusterId.equals(answered)) {
          throw CommandFailure.failed(
              "the meta-server at "
                  + metaServers()
                  + " belongs to cluster "
                  + answered
                  + ", but the data in "
                  + folder.path()
                  + " to cluster "
                  + clusterId);
        }
        clusterId = answered;
        return;
      } catch (LuciolaException notYet) {
        if (System.nanoTime() - deadline > 0) {
          throw CommandFailure.failed(
              "the meta-server does not answer after "
                  + options.readyTimeout().toSeconds()
                  + " s; its log is in "
                  + folder.path().resolve(META),
              notYet);
        }
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  private MetaConnection connect() {
    return MetaConnection.connect(MetaOptions.of(metaServers()).withCallNanos(CALL.toNanos()));
  }

  private void writeClusterFile() throws IOException {
    file().write(folder.path());
  }

  /** Stops every server, those first that others need least. */
  @Override
  public void close() throws IOException {
    List<LocalServer> lastFirst = new ArrayList<>(servers.values()).reversed();
    try {
      for (ServerKind kind :
          List.of(ServerKind.AGENT, ServerKind.STORAGE_SERVER, ServerKind.META_SERVER)) {
        List<LocalServer> group = lastFirst.stream().filter(each -> each.kind() == kind).toList();
        group.forEach(LocalServer::askToStop);
        for (LocalServer server : group) {
          server.stop();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      held.close();
    }
  }
}
