package luciola.cli.connection;

import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.access.ClientAccess;

/** Opens the file system of a cluster. */
@FunctionalInterface
public interface Connector {
  /**
   * Connects.
   *
   * @param metaServers addresses {@code host:port} of some or all meta-servers
   */
  LuciolaFileSystem connect(List<String> metaServers);

  /** The same for what programs wait behind, a mount: it tries calls for as long as clients do. */
  default Connector patient() {
    return this;
  }

  /** Connects, showing what is needed to be let in; where nothing is, it is not looked at. */
  default LuciolaFileSystem connect(List<String> metaServers, ClientAccess access) {
    return connect(metaServers);
  }
}
