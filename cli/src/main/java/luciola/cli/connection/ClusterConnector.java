package luciola.cli.connection;

import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.protocol.access.ClientAccess;

/** Connects to a real cluster. A command gives up sooner than a training run would. */
public final class ClusterConnector implements Connector {
  private static final long META_CALL_NANOS = TimeUnit.SECONDS.toNanos(15);

  @Override
  public LuciolaFileSystem connect(List<String> metaServers) {
    return connect(metaServers, ClientAccess.NONE);
  }

  @Override
  public LuciolaFileSystem connect(List<String> metaServers, ClientAccess access) {
    ClusterOptions options = ClusterOptions.of(metaServers).withAccess(access);
    return ClusterFileSystem.connect(options.withTimes(options.limits(), META_CALL_NANOS));
  }
}
