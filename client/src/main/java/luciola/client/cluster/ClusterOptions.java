package luciola.client.cluster;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ClusterId;
import luciola.protocol.router.RouterLimits;

/**
 * How a client connects and how much it may have under way.
 *
 * @param metaAddresses {@code host:port} of some or all meta-servers
 * @param cluster the cluster that must answer; empty: whichever does
 * @param uid who asks; with authentication off it is taken as given. 0 with a token or a
 *     certificate: its user
 * @param gid primary group of who asks
 * @param zone this client's zone label: its reads prefer servers there
 * @param limits retries of chunk requests
 * @param metaCallNanos one namespace call with all its retries, and the first connection
 * @param readBytesMax bytes of reads in flight over all servers; more wait
 * @param batchBytesMax bytes asked for in one read request, and the largest piece of a range
 * @param batchRangesMax ranges in one read request
 * @param writeBytesMax native memory for write-back buffers, a multiple of 64 MiB; writers wait
 * @param updatesMax updates in flight
 * @param renewNanos between two renewals of the sessions of files open for writing
 * @param ioThreads event loops of the data plane
 * @param access what is shown to be let in
 * @param metaReadsAnywhere names and attributes are read at all meta-servers in turn, not at the
 *     one that leads alone; they are as new
 */
public record ClusterOptions(
    List<String> metaAddresses,
    Optional<ClusterId> cluster,
    int uid,
    int gid,
    Optional<String> zone,
    RouterLimits limits,
    long metaCallNanos,
    long readBytesMax,
    int batchBytesMax,
    int batchRangesMax,
    long writeBytesMax,
    int updatesMax,
    long renewNanos,
    int ioThreads,
    ClientAccess access,
    boolean metaReadsAnywhere) {
  public ClusterOptions {
    metaAddresses = List.copyOf(metaAddresses);
    if (metaAddresses.isEmpty()) {
      throw new IllegalArgumentException("metaAddresses must not be empty");
    }
    check("metaCallNanos", metaCallNanos, 1, Long.MAX_VALUE);
    check("readBytesMax", readBytesMax, 1, Long.MAX_VALUE);
    check("batchBytesMax", batchBytesMax, 1 << 16, 1 << 26);
    check("batchRangesMax", batchRangesMax, 1, ReadRequest.RANGES_MAX);
    check("writeBytesMax", writeBytesMax, PayloadPool.BLOCK_BYTES_MAX, Long.MAX_VALUE);
    check("updatesMax", updatesMax, 1, 1 << 16);
    check("renewNanos", renewNanos, 1, Long.MAX_VALUE);
    check("ioThreads", ioThreads, 1, 256);
  }

  /**
   * The defaults: user 0, no zone, 60 s of retries, 256 MiB of reads and of writes under way,
   * requests of 1 MiB or 512 ranges, 64 updates, sessions renewed every 5 s, two event loops.
   */
  public static ClusterOptions of(List<String> metaAddresses) {
    return new ClusterOptions(
        metaAddresses,
        Optional.empty(),
        0,
        0,
        Optional.empty(),
        RouterLimits.DEFAULT,
        TimeUnit.SECONDS.toNanos(60),
        256L << 20,
        1 << 20,
        512,
        256L << 20,
        64,
        TimeUnit.SECONDS.toNanos(5),
        2,
        ClientAccess.NONE,
        false);
  }

  /** The same for one cluster only. */
  public ClusterOptions withCluster(ClusterId id) {
    return new ClusterOptions(
        metaAddresses,
        Optional.of(id),
        uid,
        gid,
        zone,
        limits,
        metaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        metaReadsAnywhere);
  }

  /** The same as another user. */
  public ClusterOptions withIdentity(int newUid, int newGid) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        newUid,
        newGid,
        zone,
        limits,
        metaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        metaReadsAnywhere);
  }

  /** The same in a zone. */
  public ClusterOptions withZone(String label) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        uid,
        gid,
        Optional.of(label),
        limits,
        metaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        metaReadsAnywhere);
  }

  /** The same with other bounds on time: of chunk requests and of namespace calls. */
  public ClusterOptions withTimes(RouterLimits newLimits, long newMetaCallNanos) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        uid,
        gid,
        zone,
        newLimits,
        newMetaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        metaReadsAnywhere);
  }

  /** The same with other bounds on bytes under way. */
  public ClusterOptions withBytes(long newReadBytesMax, long newWriteBytesMax) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        uid,
        gid,
        zone,
        limits,
        metaCallNanos,
        newReadBytesMax,
        batchBytesMax,
        batchRangesMax,
        newWriteBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        metaReadsAnywhere);
  }

  /** The same showing another credential. */
  public ClusterOptions withAccess(ClientAccess newAccess) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        uid,
        gid,
        zone,
        limits,
        metaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        newAccess,
        metaReadsAnywhere);
  }

  /** The same with names and attributes read at all meta-servers in turn, or not. */
  public ClusterOptions withMetaReadsAnywhere(boolean anywhere) {
    return new ClusterOptions(
        metaAddresses,
        cluster,
        uid,
        gid,
        zone,
        limits,
        metaCallNanos,
        readBytesMax,
        batchBytesMax,
        batchRangesMax,
        writeBytesMax,
        updatesMax,
        renewNanos,
        ioThreads,
        access,
        anywhere);
  }

  private static void check(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be from " + min + " to " + max + ": " + name + "=" + value);
    }
  }
}
