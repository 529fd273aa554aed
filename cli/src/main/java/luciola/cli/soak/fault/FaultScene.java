package luciola.cli.soak.fault;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import luciola.cli.operate.ClusterView;
import luciola.cli.soak.load.Findings;
import luciola.meta.cluster.ClusterTimings;

/** What every fault needs: the servers, who watches them, chance, and where to tell of it. */
public final class FaultScene {
  /** How long a cluster may take until everything serves again. */
  static final Duration RECOVERY = Duration.ofSeconds(150);

  final Fleet fleet;
  final ClusterTimings timings;
  final Watch watch;
  final Findings findings;
  final Random random;
  private final Consumer<String> log;

  /**
   * A running fleet.
   *
   * @param seed of what is chosen
   * @param log told of everything that happens, a line each
   */
  public FaultScene(
      Fleet fleet,
      ClusterTimings timings,
      Watch watch,
      Findings findings,
      long seed,
      Consumer<String> log) {
    this.fleet = fleet;
    this.timings = timings;
    this.watch = watch;
    this.findings = findings;
    this.random = new Random(seed);
    this.log = log;
  }

  void say(String line) {
    log.accept(line);
  }

  /** Lets the others go on for so long; shorter only if this thread is interrupted. */
  static void quiet(long millis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    long left;
    while ((left = deadline - System.nanoTime()) > 0 && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(left);
    }
  }

  /** A time that is longer than this one by half a second to so many milliseconds. */
  long longerMillis(long nanos, long byMillis) {
    return TimeUnit.NANOSECONDS.toMillis(nanos) + 500 + random.nextLong(byMillis);
  }

  /** Up to two failure times. */
  long awayMillis() {
    return random.nextLong(TimeUnit.NANOSECONDS.toMillis(timings.failureNanos()) * 2);
  }

  /** So many storage-servers, drawn. */
  List<String> some(int count) {
    var servers = new ArrayList<>(fleet.storageServers());
    Collections.shuffle(servers, random);
    return servers.subList(0, Math.min(count, servers.size()));
  }

  /** Starts what has ended by itself: that is a mistake, but the others are to go on. */
  void revive() throws IOException {
    var all = new ArrayList<>(fleet.storageServers());
    all.addAll(fleet.metaServers());
    for (String server : all) {
      Optional<String> ended = fleet.ended(server);
      if (ended.isPresent() && !Thread.currentThread().isInterrupted()) {
        findings.add("a server runs until it is ended", server, "alive", ended.get());
        fleet.start(server);
      }
    }
  }

  /** Waits until every meta-server has what the leader has; it is a violation if that is not so. */
  void awaitMembers() {
    int members = fleet.metaServers().size();
    if (members == 1) {
      return;
    }
    long started = System.nanoTime();
    watch
        .await(
            view ->
                view.metas().size() == members
                    && view.metas().stream().allMatch(ClusterView.Meta::ready),
            RECOVERY)
        .filter(_ -> !Thread.currentThread().isInterrupted())
        .ifPresent(seen ->
            findings.add(
                "the cluster recovers",
                "meta-servers",
                "all of them have the log within " + RECOVERY.toSeconds() + " s",
                seen));
    say(
        String.format(
            Locale.ROOT,
            "all meta-servers have the log: %.1f s",
            (System.nanoTime() - started) / 1e9));
  }

  /** Whether everything serves again in good time; it is a violation if not. */
  boolean awaitWhole(String after) throws IOException {
    long started = System.nanoTime();
    Optional<String> seen = watch.awaitWhole(RECOVERY);
    if (Thread.currentThread().isInterrupted()) {
      return false;
    }
    revive();
    if (seen.isPresent()) {
      findings.add(
          "the cluster recovers",
          "after " + after,
          "every replica serves within " + RECOVERY.toSeconds() + " s",
          seen.get());
      return false;
    }
    say(
        String.format(
            Locale.ROOT,
            "whole again after %s: %.1f s",
            after,
            (System.nanoTime() - started) / 1e9));
    return true;
  }
}
