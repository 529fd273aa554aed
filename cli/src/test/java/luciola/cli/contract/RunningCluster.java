package luciola.cli.contract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;

/**
 * One meta-server in this process and three storage-servers in processes of their own, every chunk
 * on all three. Failures are noticed within two seconds.
 */
final class RunningCluster implements AutoCloseable {
  static final int SERVERS = 3;

  private final Path directory;
  private final MetaServer meta;
  private final List<StorageProcess> servers = new ArrayList<>();

  RunningCluster(Path directory) throws IOException {
    this(directory, TimeUnit.MINUTES.toNanos(5));
  }

  /**
   * @param clientTimeoutNanos how long a client is there that is not heard of
   */
  RunningCluster(Path directory, long clientTimeoutNanos) throws IOException {
    this.directory = directory;
    this.meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withTimings(
                    new ClusterTimings(
                        TimeUnit.MILLISECONDS.toNanos(200),
                        TimeUnit.MILLISECONDS.toNanos(1500),
                        TimeUnit.MILLISECONDS.toNanos(2000)),
                    clientTimeoutNanos));
    for (int server = 0; server < SERVERS; server++) {
      servers.add(start(server));
    }
    try (MetaConnection connection = MetaConnection.connect(MetaOptions.of(List.of(address())))) {
      connection.createTable(CreateTableRequest.newBuilder().setReplicas(SERVERS).build());
    }
  }

  private StorageProcess start(int server) throws IOException {
    return StorageProcess.start(directory.resolve("storage-" + server), address());
  }

  String address() {
    return "127.0.0.1:" + meta.port();
  }

  ClusterFileSystem connect() {
    return ClusterFileSystem.connect(ClusterOptions.of(List.of(address())));
  }

  void kill(int server) throws InterruptedException {
    servers.get(server).kill();
  }

  void restart(int server) throws IOException {
    servers.set(server, start(server));
  }

  @Override
  public void close() {
    servers.forEach(StorageProcess::close);
    meta.close();
  }
}
