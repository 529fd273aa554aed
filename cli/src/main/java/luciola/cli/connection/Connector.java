package luciola.cli.connection;

import java.util.List;
import luciola.client.LuciolaFileSystem;

/** Opens the file system of a cluster. */
@FunctionalInterface
public interface Connector {
  /**
   * Connects.
   *
   * @param metaServers addresses {@code host:port} of some or all meta-servers
   */
  LuciolaFileSystem connect(List<String> metaServers);
}
