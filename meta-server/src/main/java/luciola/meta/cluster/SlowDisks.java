package luciola.meta.cluster;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;

/**
 * Finds targets whose disk is far slower than its peers: a latency of reads or of flushes is {@code
 * slowDiskFactor} times the median of the other targets of its disk class (label {@code disk}), and
 * more than {@link #FLOOR_NANOS}, for {@code slowDiskNanos} without a break. It is slow no longer
 * when it was below half of that for as long, or when nothing was measured for ten times as long: a
 * target that is out of service has little to measure. Fewer than three peers say nothing.
 */
final class SlowDisks {
  /** Below this nothing is slow. */
  static final long FLOOR_NANOS = 5_000_000;

  private static final int PEERS_MIN = 3;

  private final Map<TargetId, Finding> findings = new HashMap<>();

  /**
   * @param sinceNanos when the present opinion, or doubt of it, began
   * @param measuredNanos when it was measured last
   */
  private record Finding(
      boolean slow, boolean doubted, long sinceNanos, long measuredNanos, String reason) {}

  void clear() {
    findings.clear();
  }

  /** Looks at what was reported last. */
  void tick(Routing routing, Lives lives, Policy policy, long nowNanos) {
    Map<String, Map<TargetId, TargetReport>> classes = new TreeMap<>();
    Set<TargetId> known = new HashSet<>();
    for (StorageNode node : routing.nodes().values()) {
      known.addAll(node.targets());
      if (lives.alive(node.id(), nowNanos)) {
        lives
            .reports(node.id())
            .forEach((target, report) ->
                classes
                    .computeIfAbsent(node.labels().getOrDefault("disk", ""), _ -> new TreeMap<>())
                    .put(target, report));
      }
    }
    findings.keySet().retainAll(known);
    for (Map<TargetId, TargetReport> peers : classes.values()) {
      long[] reads = sorted(peers, TargetReport::getReadLatencyNanos);
      long[] flushes = sorted(peers, TargetReport::getFlushLatencyNanos);
      peers.forEach((target, report) ->
          judge(
              target,
              ratio("read", report.getReadLatencyNanos(), reads),
              ratio("flush", report.getFlushLatencyNanos(), flushes),
              policy,
              nowNanos));
    }
  }

  private static long[] sorted(
      Map<TargetId, TargetReport> peers, ToLongFunction<TargetReport> latency) {
    return peers.values().stream().mapToLong(latency).filter(nanos -> nanos > 0).sorted().toArray();
  }

  private void judge(
      TargetId target, Optional<Ratio> read, Optional<Ratio> flush, Policy policy, long nowNanos) {
    Finding before = findings.get(target);
    if (read.isEmpty() && flush.isEmpty()) {
      if (before != null && nowNanos - before.measuredNanos() > 10 * policy.slowDiskNanos()) {
        findings.remove(target);
      }
      return;
    }
    Ratio worst =
        read.isEmpty()
            ? flush.get()
            : flush.isEmpty() || read.get().value() > flush.get().value()
                ? read.get()
                : flush.get();
    boolean far = worst.value() >= policy.slowDiskFactor() && worst.nanos() >= FLOOR_NANOS;
    boolean near = worst.value() * 2 < policy.slowDiskFactor() || worst.nanos() < FLOOR_NANOS;
    if (before == null) {
      if (far) {
        findings.put(target, new Finding(false, true, nowNanos, nowNanos, worst.words()));
      }
      return;
    }
    boolean against = before.slow() ? near : far;
    if (!against) {
      if (before.slow()) {
        findings.put(target, new Finding(true, false, nowNanos, nowNanos, worst.words()));
      } else {
        findings.remove(target);
      }
      return;
    }
    long since = before.doubted() ? before.sinceNanos() : nowNanos;
    if (nowNanos - since < policy.slowDiskNanos()) {
      findings.put(target, new Finding(before.slow(), true, since, nowNanos, worst.words()));
    } else if (before.slow()) {
      findings.remove(target);
    } else {
      findings.put(target, new Finding(true, false, nowNanos, nowNanos, worst.words()));
    }
  }

  private record Ratio(String what, long nanos, long median) {
    double value() {
      return (double) nanos / Math.max(1, median);
    }

    String words() {
      return String.format(
          Locale.ROOT,
          "%s takes %.1f ms, %.1f times the %.2f ms of its peers",
          what,
          nanos / 1e6,
          value(),
          median / 1e6);
    }
  }

  /** A latency beside the median of the others; {@code all} is sorted and has this one in it. */
  private static Optional<Ratio> ratio(String what, long nanos, long[] all) {
    int others = all.length - 1;
    if (nanos <= 0 || others < PEERS_MIN) {
      return Optional.empty();
    }
    int middle = others / 2;
    return Optional.of(
        new Ratio(what, nanos, nanos <= all[middle] ? all[middle + 1] : all[middle]));
  }

  /** Why a target is slow; empty if it is not. */
  Optional<String> reason(TargetId target) {
    return Optional.ofNullable(findings.get(target)).filter(Finding::slow).map(Finding::reason);
  }

  /** Slow targets, by number; never more than a tenth of all, but one. */
  List<TargetId> slow(int targets) {
    return findings.entrySet().stream()
        .filter(found -> found.getValue().slow())
        .map(Map.Entry::getKey)
        .sorted()
        .limit(Math.max(1, targets / 10))
        .toList();
  }
}
