package luciola.meta.cluster;

import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.ClusterSettings;
import luciola.grpc.v1.ServerSettings;
import luciola.grpc.v1.SlowDiskPolicy;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * What operators have set, with the defaults of what they have not.
 *
 * @param resyncBytesPerSecond of each server; 0: as its own configuration says
 * @param scrubBytesPerSecond of each target; 0: as its server's configuration says
 * @param slowDiskFactor a target is slow at this many times the median of its peers, 2 … 1000
 * @param slowDiskNanos … for this long, 1 s … 1 h
 * @param autoReplaceNanos a replica gone for longer is replaced; 0: never; else 1 min or more
 * @param movesMax chains whose members are moving at the same time, 1 … 10,000
 * @param syncingPerChain members of one chain filled at the same time, 1 … 16
 * @param syncingPerTarget chains filled into one target at the same time, 1 … 1,000
 */
record Policy(
    long resyncBytesPerSecond,
    long scrubBytesPerSecond,
    SlowDiskPolicy slowDisks,
    int slowDiskFactor,
    long slowDiskNanos,
    long autoReplaceNanos,
    int movesMax,
    int syncingPerChain,
    int syncingPerTarget) {

  /**
   * From what is stored.
   *
   * @param syncingMax the meta-server's own default of {@code syncingPerChain}
   * @throws LuciolaException INVALID_ARGUMENT if a value is out of bounds
   */
  static Policy of(ClusterSettings set, int syncingMax) {
    return new Policy(
        bounds("resync-rate", set.getResyncBytesPerSecond(), 0, 1L << 50),
        bounds("scrub-rate", set.getScrubBytesPerSecond(), 0, 1L << 50),
        set.getSlowDiskPolicy() == SlowDiskPolicy.SLOW_DISK_POLICY_UNSPECIFIED
            ? SlowDiskPolicy.SLOW_DISK_POLICY_REPORT
            : set.getSlowDiskPolicy(),
        (int)
            bounds(
                "slow-disk-factor", set.hasSlowDiskFactor() ? set.getSlowDiskFactor() : 8, 2, 1000),
        bounds(
            "slow-disk-time",
            set.hasSlowDiskNanos() ? set.getSlowDiskNanos() : TimeUnit.SECONDS.toNanos(30),
            TimeUnit.SECONDS.toNanos(1),
            TimeUnit.HOURS.toNanos(1)),
        set.getAutoReplaceNanos() == 0
            ? 0
            : bounds(
                "auto-replace",
                set.getAutoReplaceNanos(),
                TimeUnit.MINUTES.toNanos(1),
                TimeUnit.DAYS.toNanos(365)),
        (int) bounds("moves-max", set.hasMovesMax() ? set.getMovesMax() : 16, 1, 10_000),
        (int)
            bounds(
                "syncing-per-chain",
                set.hasSyncingPerChain() ? set.getSyncingPerChain() : syncingMax,
                1,
                16),
        (int)
            bounds(
                "syncing-per-target",
                set.hasSyncingPerTarget() ? set.getSyncingPerTarget() : 8,
                1,
                1000));
  }

  private static long bounds(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "setting out of bounds: " + name + "=" + value + " min=" + min + " max=" + max);
    }
    return value;
  }

  /** What storage-servers are told. */
  ServerSettings forServers() {
    return ServerSettings.newBuilder()
        .setResyncBytesPerSecond(resyncBytesPerSecond)
        .setScrubBytesPerSecond(scrubBytesPerSecond)
        .build();
  }
}
