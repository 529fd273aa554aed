package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.TargetReport;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.storage.engine.EngineConfig;
import org.jspecify.annotations.Nullable;

/** One meta-server and some storage-servers with each chain over all of them, for tests. */
final class ServerCluster implements AutoCloseable {
  private static final ClusterTimings TIMINGS =
      new ClusterTimings(100_000_000L, 1_500_000_000L, 2_500_000_000L);

  private final Target.@Nullable Opener disks;
  private final Path directory;
  private final UnaryOperator<StorageServerConfig> settings;
  private final MetaServer meta;
  private final List<@Nullable StorageServer> servers = new ArrayList<>();
  final TestClient client;
  final ChainId chain;

  /** With one chain. */
  ServerCluster(Path directory, int replicas, UnaryOperator<StorageServerConfig> settings)
      throws IOException {
    this(directory, replicas, 1, settings, null);
  }

  /**
   * With some chains, of which {@link #chain} is the last.
   *
   * @param disks opens the targets' engines; null: as servers do
   */
  ServerCluster(
      Path directory,
      int replicas,
      int chains,
      UnaryOperator<StorageServerConfig> settings,
      Target.@Nullable Opener disks)
      throws IOException {
    this.disks = disks;
    this.directory = directory;
    this.settings = settings;
    this.meta = meta(directory);
    for (int i = 0; i < replicas; i++) {
      servers.add(null);
      start(i);
    }
    this.client = TestClient.of("127.0.0.1:" + meta.port());
    this.chain = client.createTable(replicas, chains);
  }

  /** A meta-server that soon misses who is gone. */
  static MetaServer meta(Path directory) throws IOException {
    return MetaServer.start(
        MetaServerConfig.of(directory.resolve("meta"))
            .withAddress("127.0.0.1", 0)
            .withTimings(TIMINGS, 60_000_000_000L));
  }

  void start(int number) throws IOException {
    Path home = directory.resolve("s" + number);
    StorageServerConfig config =
        settings.apply(
            StorageServerConfig.of(
                    home.resolve("node"),
                    List.of(target(number)),
                    List.of("127.0.0.1:" + meta.port()))
                .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(4L << 30)));
    servers.set(
        number, disks == null ? StorageServer.start(config) : StorageServer.start(config, disks));
  }

  /** Directory of a server's target. */
  Path target(int server) {
    return directory.resolve("s" + server).resolve("t");
  }

  void stop(int number) {
    StorageServer server = servers.get(number);
    if (server != null) {
      server.close();
      servers.set(number, null);
    }
  }

  void awaitServing(int count) {
    client.await(chain, count + " serve", it -> TestClient.serve(it, count));
  }

  List<TargetId> members() {
    return client.chain(chain).members().stream().map(member -> member.target()).toList();
  }

  /** Number of the running server that has a target. */
  int serverOf(TargetId target) {
    int port = client.routing.routing().nodeOf(target).orElseThrow().port();
    for (int i = 0; i < servers.size(); i++) {
      StorageServer server = servers.get(i);
      if (server != null && server.port() == port) {
        return i;
      }
    }
    throw new AssertionError("no server of target=" + target);
  }

  Path blocks(int server) {
    return target(server).resolve("blocks");
  }

  /** What the manager last heard of a target. */
  Optional<TargetReport> report(TargetId target) {
    return client.meta.status().getNodesList().stream()
        .map(NodeStatus::getTargetsList)
        .flatMap(List::stream)
        .filter(report -> report.getTargetId() == target.value())
        .findFirst();
  }

  static ChunkId chunk(int number) {
    return new ChunkId(new InodeId(5), number);
  }

  static byte[] bytes(long seed, int length) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Override
  public void close() {
    client.close();
    for (int i = 0; i < servers.size(); i++) {
      stop(i);
    }
    meta.close();
  }
}
