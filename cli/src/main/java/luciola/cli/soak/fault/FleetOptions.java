package luciola.cli.soak.fault;

import java.nio.file.Path;
import java.time.Duration;
import luciola.meta.cluster.ClusterTimings;

/**
 * A fleet of processes.
 *
 * @param folder everything it keeps; made if missing
 * @param storageServers number of them, with a target each
 * @param metaServers number of them, 1 or more
 * @param timings of heartbeats, leases and failures
 * @param capacityBytes of each target
 * @param scrubPause between two rounds of the scrub
 * @param heapBytes of each process
 * @param clientTimeout after which a silent client loses its sessions and locks
 */
public record FleetOptions(
    Path folder,
    int storageServers,
    int metaServers,
    ClusterTimings timings,
    long capacityBytes,
    Duration scrubPause,
    long heapBytes,
    Duration clientTimeout) {
  private static final Duration CLIENT_TIMEOUT = Duration.ofMinutes(1);

  /** Leases of two seconds, failure after three, half a GiB a target, a scrub each ten seconds. */
  public static FleetOptions of(Path folder, int storageServers) {
    return new FleetOptions(
        folder,
        storageServers,
        1,
        new ClusterTimings(300_000_000L, 2_000_000_000L, 3_000_000_000L),
        512L << 20,
        Duration.ofSeconds(10),
        512L << 20,
        CLIENT_TIMEOUT);
  }

  /** The same with targets of another size. */
  public FleetOptions withCapacityBytes(long bytes) {
    return new FleetOptions(
        folder, storageServers, metaServers, timings, bytes, scrubPause, heapBytes, clientTimeout);
  }

  /** The same with so many meta-servers. */
  public FleetOptions withMetaServers(int number) {
    return new FleetOptions(
        folder,
        storageServers,
        number,
        timings,
        capacityBytes,
        scrubPause,
        heapBytes,
        clientTimeout);
  }

  /** The same with another lease of clients. */
  public FleetOptions withClientTimeout(Duration timeout) {
    return new FleetOptions(
        folder,
        storageServers,
        metaServers,
        timings,
        capacityBytes,
        scrubPause,
        heapBytes,
        timeout);
  }
}
