package luciola.meta.server;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.log.Member;
import luciola.protocol.control.SecuritySettings;

/**
 * Everything a meta-server can be told.
 *
 * @param directory its data directory; made where it is missing
 * @param host address to listen on; default 127.0.0.1
 * @param port TCP port to listen on, 0 to 65535; 0: any free one; default 7420
 * @param clusterId the cluster it must belong to; 0: the one of its directory, or a new one
 * @param self id of this member; default m1
 * @param members all members; empty (the default): this one alone
 * @param timings heartbeats, leases and failure detection of storage-servers
 * @param syncingMax members of one chain that are filled at the same time, 1 or more, unless
 *     operators set otherwise; default 2
 * @param clientTimeoutNanos a client not heard of for this long loses its sessions; 1 s or more;
 *     default 5 minutes
 * @param cacheBytes memory for the database's block cache, 1 MiB or more; default 256 MiB
 * @param commandsMax commands in one log entry; see {@link luciola.meta.log.LogConfig}; default
 *     1024
 * @param queueMax commands waiting for the log, 1 or more; default 65536
 * @param electionMillis shortest silence after which another member stands for election, 50 or
 *     more; default 600
 * @param snapshotEntries log entries between two snapshots, 100 or more; default 100000
 * @param streamRequestsMax requests of one stream under way at once, 1 or more; default 1024
 * @param security who is let in; default everybody
 */
public record MetaServerConfig(
    Path directory,
    String host,
    int port,
    long clusterId,
    String self,
    List<Member> members,
    ClusterTimings timings,
    int syncingMax,
    long clientTimeoutNanos,
    long cacheBytes,
    int commandsMax,
    int queueMax,
    int electionMillis,
    long snapshotEntries,
    int streamRequestsMax,
    SecuritySettings security) {
  /** Where clients look when they are told nothing else. */
  public static final int PORT_DEFAULT = 7420;

  public MetaServerConfig {
    members = List.copyOf(members);
    if (port < 0
        || port > 65_535
        || syncingMax < 1
        || clientTimeoutNanos < TimeUnit.SECONDS.toNanos(1)
        || cacheBytes < 1 << 20
        || streamRequestsMax < 1) {
      throw new IllegalArgumentException(
          "out of bounds: port="
              + port
              + " syncingMax="
              + syncingMax
              + " clientTimeoutNanos="
              + clientTimeoutNanos
              + " cacheBytes="
              + cacheBytes
              + " streamRequestsMax="
              + streamRequestsMax);
    }
    if (members.size() > 1
        && security.tls()
        && security.memberCertificates().toString().isEmpty()) {
      throw new IllegalArgumentException(
          "security.tls of several meta-servers needs security.memberCertificates");
    }
  }

  /** A single meta-server with the defaults, on loopback. */
  public static MetaServerConfig of(Path directory) {
    return new MetaServerConfig(
        directory,
        "127.0.0.1",
        PORT_DEFAULT,
        0,
        "m1",
        List.of(),
        ClusterTimings.DEFAULT,
        2,
        TimeUnit.MINUTES.toNanos(5),
        256L << 20,
        1024,
        65_536,
        600,
        100_000,
        1024,
        SecuritySettings.OFF);
  }

  public MetaServerConfig withAddress(String newHost, int newPort) {
    return new MetaServerConfig(
        directory,
        newHost,
        newPort,
        clusterId,
        self,
        members,
        timings,
        syncingMax,
        clientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        snapshotEntries,
        streamRequestsMax,
        security);
  }

  public MetaServerConfig withTimings(ClusterTimings newTimings, long newClientTimeoutNanos) {
    return new MetaServerConfig(
        directory,
        host,
        port,
        clusterId,
        self,
        members,
        newTimings,
        syncingMax,
        newClientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        snapshotEntries,
        streamRequestsMax,
        security);
  }

  public MetaServerConfig withCluster(long newClusterId) {
    return new MetaServerConfig(
        directory,
        host,
        port,
        newClusterId,
        self,
        members,
        timings,
        syncingMax,
        clientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        snapshotEntries,
        streamRequestsMax,
        security);
  }

  public MetaServerConfig withMembers(String newSelf, List<Member> newMembers) {
    return new MetaServerConfig(
        directory,
        host,
        port,
        clusterId,
        newSelf,
        newMembers,
        timings,
        syncingMax,
        clientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        snapshotEntries,
        streamRequestsMax,
        security);
  }

  public MetaServerConfig withSnapshotEntries(long newSnapshotEntries) {
    return new MetaServerConfig(
        directory,
        host,
        port,
        clusterId,
        self,
        members,
        timings,
        syncingMax,
        clientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        newSnapshotEntries,
        streamRequestsMax,
        security);
  }

  public MetaServerConfig withSecurity(SecuritySettings newSecurity) {
    return new MetaServerConfig(
        directory,
        host,
        port,
        clusterId,
        self,
        members,
        timings,
        syncingMax,
        clientTimeoutNanos,
        cacheBytes,
        commandsMax,
        queueMax,
        electionMillis,
        snapshotEntries,
        streamRequestsMax,
        newSecurity);
  }
}
