package luciola.cli.local;

import java.nio.file.Path;
import java.time.Duration;

/**
 * What a local cluster is made of.
 *
 * @param dataFolder everything it keeps; made if missing
 * @param processes each server a process of its own, else all of them in this JVM
 * @param storageServers 1 to 16, with a target each
 * @param replicas targets in each chain, at most {@code storageServers}
 * @param agent whether an agent runs too
 * @param portBase the meta-server's port, the storage-servers' follow; 0: free ones, the same at
 *     the next start
 * @param readyTimeout how long until everything serves
 * @param shortLived whether the processes live for minutes only: then they compile quickly instead
 *     of well, which on few processors starts several times faster
 */
public record LocalClusterOptions(
    Path dataFolder,
    boolean processes,
    int storageServers,
    int replicas,
    boolean agent,
    int portBase,
    Duration readyTimeout,
    boolean shortLived) {
  private static final int STORAGE_SERVERS_MAX = 16;

  public LocalClusterOptions {
    dataFolder = dataFolder.toAbsolutePath().normalize();
    if (storageServers < 1 || storageServers > STORAGE_SERVERS_MAX) {
      throw new IllegalArgumentException(
          "storage-servers are 1 to " + STORAGE_SERVERS_MAX + ", not " + storageServers);
    }
    if (replicas < 1 || replicas > storageServers) {
      throw new IllegalArgumentException(
          "replicas are 1 to the number of storage-servers, "
              + storageServers
              + ", not "
              + replicas);
    }
    if (portBase < 0 || portBase > 65535 - storageServers) {
      throw new IllegalArgumentException("not a port: " + portBase);
    }
  }

  /** Three storage-servers and an agent in this JVM, every chunk on all three. */
  public static LocalClusterOptions inThisJvm(Path dataFolder) {
    return new LocalClusterOptions(dataFolder, false, 3, 3, true, 0, Duration.ofSeconds(90), false);
  }

  /** The same with a process for each server. */
  public static LocalClusterOptions asProcesses(Path dataFolder) {
    return new LocalClusterOptions(dataFolder, true, 3, 3, true, 0, Duration.ofSeconds(90), false);
  }

  /** The same for a cluster that lives for minutes only. */
  public LocalClusterOptions forMinutes() {
    return new LocalClusterOptions(
        dataFolder, processes, storageServers, replicas, agent, portBase, readyTimeout, true);
  }
}
