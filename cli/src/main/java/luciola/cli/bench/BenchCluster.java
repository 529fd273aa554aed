package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import luciola.cli.connection.ClusterFile;
import luciola.cli.connection.Connector;
import luciola.cli.local.LocalCluster;
import luciola.cli.local.LocalClusterOptions;
import luciola.cli.soak.fault.Fleet;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.fault.FleetStart;
import luciola.cli.soak.fault.ProcessFleet;
import luciola.cli.terminal.CommandFailure;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.MetaConnection;
import org.jspecify.annotations.Nullable;

/**
 * The cluster that is measured: somebody else's, or one of the bench's own for as long as it runs.
 */
final class BenchCluster implements AutoCloseable {
  private static final int SERVERS = 3;
  private static final Duration READY = Duration.ofSeconds(90);
  private static final String ROOT = "/.bench";

  private final @Nullable BenchFolder folder;
  private final @Nullable LocalCluster own;
  private final @Nullable Fleet fleet;
  private final LuciolaFileSystem files;
  private final List<String> metaServers;
  private final String home;

  private BenchCluster(
      @Nullable BenchFolder folder,
      @Nullable LocalCluster own,
      @Nullable Fleet fleet,
      LuciolaFileSystem files,
      List<String> metaServers) {
    this.folder = folder;
    this.own = own;
    this.fleet = fleet;
    this.files = files;
    this.metaServers = metaServers;
    this.home = ROOT + "/" + Long.toHexString(ThreadLocalRandom.current().nextLong());
    files.mkdirs(home);
  }

  /** One that runs already. */
  static BenchCluster at(List<String> metaServers, ClientAccess access, Connector connector) {
    return new BenchCluster(null, null, null, connector.connect(metaServers, access), metaServers);
  }

  /**
   * Starts a meta-server and three storage-servers on this machine.
   *
   * @param parent where its data goes
   * @param inProcess in this JVM, not as processes of their own
   */
  static BenchCluster start(
      Path parent, boolean inProcess, int replicas, Connector connector, Consumer<String> progress)
      throws IOException, InterruptedException {
    var folder = new BenchFolder(parent);
    @Nullable LocalCluster cluster = null;
    try {
      var options =
          new LocalClusterOptions(
              folder.path(), !inProcess, SERVERS, replicas, false, 0, READY, false);
      cluster = LocalCluster.start(options, progress);
      return new BenchCluster(
          folder, cluster, null, connector.connect(cluster.metaServers()), cluster.metaServers());
    } catch (IOException | InterruptedException | RuntimeException e) {
      if (cluster != null) {
        cluster.close();
      }
      folder.close();
      throw e;
    }
  }

  /**
   * Starts several meta-servers and one storage-server on this machine.
   *
   * @param parent where its data goes
   * @param readsAnywhere whether all meta-servers are read from
   */
  static BenchCluster ofGroup(Path parent, int metaServers, boolean readsAnywhere)
      throws IOException {
    var folder = new BenchFolder(parent);
    @Nullable Fleet fleet = null;
    try {
      FleetOptions options = FleetOptions.of(folder.path(), 1).withMetaServers(metaServers);
      fleet = ProcessFleet.prepare(options);
      FleetStart.start(fleet, options.timings(), 1).close();
      return new BenchCluster(
          folder,
          null,
          fleet,
          ClusterFileSystem.connect(
              ClusterOptions.of(fleet.metaAddresses()).withMetaReadsAnywhere(readsAnywhere)),
          fleet.metaAddresses());
    } catch (IOException | RuntimeException e) {
      if (fleet != null) {
        fleet.close();
      }
      folder.close();
      throw e;
    }
  }

  /** The client's connection to the meta-servers. */
  MetaConnection meta() {
    if (files instanceof ClusterFileSystem connected) {
      return connected.meta();
    }
    throw CommandFailure.wrongUse("this is not a cluster of meta-servers");
  }

  /** Addresses of the meta-servers. */
  List<String> metaServers() {
    return metaServers;
  }

  LuciolaFileSystem files() {
    return files;
  }

  /** A path in the bench's own directory. */
  String path(String name) {
    return home + "/" + name;
  }

  /** The servers' processes; empty where they are not known. */
  List<Long> processes() {
    long self = ProcessHandle.current().pid();
    if (fleet != null) {
      return ProcessHandle.current().children().map(ProcessHandle::pid).toList();
    }
    return own == null
        ? List.of()
        : own.file().roles().stream()
            .map(ClusterFile.Role::pid)
            .filter(pid -> pid != self)
            .toList();
  }

  @Override
  public void close() throws IOException {
    try {
      files.removeRecursively(home);
    } finally {
      files.close();
      if (own != null) {
        own.close();
      }
      if (fleet != null) {
        fleet.close();
      }
      if (folder != null) {
        folder.close();
      }
    }
  }
}
