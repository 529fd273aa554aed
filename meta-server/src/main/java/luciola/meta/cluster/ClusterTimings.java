package luciola.meta.cluster;

import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.Timings;

/**
 * Times of failure detection, in nanoseconds of a monotonic clock.
 *
 * <p>A server serves until {@code lease} after it sent its last answered heartbeat; it is taken out
 * of its chains {@code failure} after its last heartbeat arrived. So it has stopped by itself
 * before anyone goes on without it, as long as clocks drift by less than the difference.
 *
 * @param heartbeatNanos time between two heartbeats of a server; 1 ms or more; default 1 s
 * @param leaseNanos how long a heartbeat lets its sender serve; more than a heartbeat; default 5 s
 * @param failureNanos after this long without one its targets are gone; at least 5/4 of the lease;
 *     default 10 s
 */
public record ClusterTimings(long heartbeatNanos, long leaseNanos, long failureNanos) {
  public static final ClusterTimings DEFAULT =
      new ClusterTimings(
          TimeUnit.SECONDS.toNanos(1), TimeUnit.SECONDS.toNanos(5), TimeUnit.SECONDS.toNanos(10));

  public ClusterTimings {
    if (heartbeatNanos < 1_000_000
        || leaseNanos <= heartbeatNanos
        || failureNanos < leaseNanos + leaseNanos / 4) {
      throw new IllegalArgumentException(
          "timings need heartbeat >= 1 ms, lease > heartbeat, failure >= 5/4 lease:"
              + " heartbeatNanos="
              + heartbeatNanos
              + " leaseNanos="
              + leaseNanos
              + " failureNanos="
              + failureNanos);
    }
  }

  /** As told to a server that registers. */
  public Timings toMessage() {
    return Timings.newBuilder()
        .setHeartbeatNanos(heartbeatNanos)
        .setLeaseNanos(leaseNanos)
        .setFailureNanos(failureNanos)
        .build();
  }
}
