package luciola.protocol.control;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;

/**
 * How to reach the meta-servers.
 *
 * @param addresses {@code host:port} of some or all of them
 * @param client number of this instance of the caller
 * @param cluster the cluster that must answer; empty: whichever does
 * @param callNanos one call with all its retries, and the first connection
 * @param attemptNanos one attempt
 * @param backoffMinNanos first wait between attempts; doubles
 * @param backoffMaxNanos longest wait between attempts
 * @param callsMax namespace calls in flight; more wait
 * @param access what is shown to be let in
 * @param readsAnywhere namespace reads go to all members in turn, which answer as the leader would:
 *     takes load from it, at the price of a question from them to it for all reads that wait
 */
public record MetaOptions(
    List<String> addresses,
    ClientId client,
    Optional<ClusterId> cluster,
    long callNanos,
    long attemptNanos,
    long backoffMinNanos,
    long backoffMaxNanos,
    int callsMax,
    ClientAccess access,
    boolean readsAnywhere) {
  public MetaOptions {
    addresses = List.copyOf(addresses);
    addresses.forEach(HostPort::parse);
    if (addresses.isEmpty()
        || callNanos < 1
        || attemptNanos < 1
        || backoffMinNanos < 1
        || backoffMaxNanos < backoffMinNanos
        || callsMax < 1) {
      throw new IllegalArgumentException(
          "bad meta options: addresses="
              + addresses
              + " callNanos="
              + callNanos
              + " attemptNanos="
              + attemptNanos
              + " backoffMinNanos="
              + backoffMinNanos
              + " backoffMaxNanos="
              + backoffMaxNanos
              + " callsMax="
              + callsMax);
    }
  }

  /**
   * A caller with a number of its own: 60 s a call, 10 s an attempt, waits from 10 to 250 ms, 1024
   * calls in flight.
   */
  public static MetaOptions of(List<String> addresses) {
    return new MetaOptions(
        addresses,
        new ClientId(ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE)),
        Optional.empty(),
        TimeUnit.SECONDS.toNanos(60),
        TimeUnit.SECONDS.toNanos(10),
        TimeUnit.MILLISECONDS.toNanos(10),
        TimeUnit.MILLISECONDS.toNanos(250),
        1024,
        ClientAccess.NONE,
        false);
  }

  /** The same for one cluster only. */
  public MetaOptions withCluster(ClusterId id) {
    return new MetaOptions(
        addresses,
        client,
        Optional.of(id),
        callNanos,
        attemptNanos,
        backoffMinNanos,
        backoffMaxNanos,
        callsMax,
        access,
        readsAnywhere);
  }

  /** The same with another bound on a call with all its retries. */
  public MetaOptions withCallNanos(long nanos) {
    return new MetaOptions(
        addresses,
        client,
        cluster,
        nanos,
        Math.min(attemptNanos, nanos),
        backoffMinNanos,
        backoffMaxNanos,
        callsMax,
        access,
        readsAnywhere);
  }

  /** The same showing another credential. */
  public MetaOptions withAccess(ClientAccess newAccess) {
    return new MetaOptions(
        addresses,
        client,
        cluster,
        callNanos,
        attemptNanos,
        backoffMinNanos,
        backoffMaxNanos,
        callsMax,
        newAccess,
        readsAnywhere);
  }

  /** The same with reads that any member may answer, or not. */
  public MetaOptions withReadsAnywhere(boolean anywhere) {
    return new MetaOptions(
        addresses,
        client,
        cluster,
        callNanos,
        attemptNanos,
        backoffMinNanos,
        backoffMaxNanos,
        callsMax,
        access,
        anywhere);
  }
}
