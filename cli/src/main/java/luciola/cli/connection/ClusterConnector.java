package luciola.cli.connection;

import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.protocol.access.ClientAccess;

/**
 * Connects to a real cluster. A command gives up sooner than a training run, or a program on a
 * mount, would.
 */
public final class ClusterConnector implements Connector {
  private static final long COMMAND_NANOS = TimeUnit.SECONDS.toNanos(15);

  private final boolean patient;

  /** Of a command. */
  public ClusterConnector() {
    this(false);
  }

  private ClusterConnector(boolean patient) {
    this.patient = patient;
  }

  @Override
  public Connector patient() {
    return new ClusterConnector(true);
  }

  @Override
  public LuciolaFileSystem connect(List<String> metaServers) {
    return connect(metaServers, ClientAccess.NONE);
  }

  @Override
  public LuciolaFileSystem connect(List<String> metaServers, ClientAccess access) {
    return ClusterFileSystem.connect(options(metaServers, access));
  }

  ClusterOptions options(List<String> metaServers, ClientAccess access) {
    ClusterOptions options = ClusterOptions.of(metaServers).withAccess(access);
    return patient ? options : options.withTimes(options.limits(), COMMAND_NANOS);
  }
}
