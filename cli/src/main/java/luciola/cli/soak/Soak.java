package luciola.cli.soak;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import luciola.cli.soak.fault.FaultDriver;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.fault.FaultScene;
import luciola.cli.soak.fault.Fleet;
import luciola.cli.soak.fault.FleetStart;
import luciola.cli.soak.fault.ReplicaProbe;
import luciola.cli.soak.fault.Watch;
import luciola.cli.soak.load.BlockAddress;
import luciola.cli.soak.load.Findings;
import luciola.cli.soak.load.Meter;
import luciola.cli.soak.load.OperationKind;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.cli.soak.load.Violation;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.client.cluster.GarbageCollector;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;

/**
 * One run: starts the servers of a fleet, loads them, hurts them, lets them recover, and reads
 * everything back, through a client and from each replica by itself.
 */
public final class Soak {
  private static final Duration RECOVERY = Duration.ofMinutes(3);
  private static final Duration GARBAGE_AGE = Duration.ofSeconds(5);
  private static final Duration ASK = Duration.ofSeconds(20);
  private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long LOOK_NANOS = 100_000_000;
  private static final int REPLICA_TRIES = 40;

  private final SoakOptions options;
  private final Fleet fleet;
  private final ClusterTimings timings;
  private final Consumer<String> log;
  private final AtomicLong started = new AtomicLong();
  private final AtomicLong stopped = new AtomicLong();
  private final Findings findings = new Findings(this::found);
  private final Map<String, Map<String, Long>> silence = new ConcurrentSkipListMap<>();
  private volatile @Nullable ReplicaProbe probe;
  private volatile @Nullable VerifyingLoad load;
  private volatile @Nullable FaultDriver driver;
  private volatile boolean ended;

  /**
   * Nothing runs yet.
   *
   * @param fleet prepared, not started; closed by the caller
   * @param timings of the fleet
   * @param log told of what happens, a line each
   */
  public Soak(SoakOptions options, Fleet fleet, ClusterTimings timings, Consumer<String> log) {
    this.options = options;
    this.fleet = fleet;
    this.timings = timings;
    this.log =
        line -> {
          if (!ended) {
            log.accept(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + line);
          }
        };
  }

  /**
   * Ends it from another thread, before its servers are killed: nothing more is told or counted.
   *
   * @return what was done and found so far; nothing was read back
   */
  public SoakReport end() {
    SoakReport sofar = report(null, 0);
    ended = true;
    return sofar;
  }

  /** Runs all of it. */
  public SoakReport run() throws IOException, InterruptedException {
    log.accept("starting " + fleet.metaServers() + ", " + fleet.storageServers());
    try (Watch watch = FleetStart.start(fleet, timings, options.replicas());
        var own = connect();
        var direct = new ReplicaProbe(own);
        var _ = GarbageCollector.start(own, Duration.ofSeconds(2), GARBAGE_AGE, 64)) {
      probe = direct;
      try (VerifyingLoad working = VerifyingLoad.start(options.load(), this::connect, findings)) {
        started.set(System.nanoTime());
        working.meter().onSilence(this::silent);
        load = working;
        return loaded(watch, own, direct, working);
      }
    }
  }

  private ClusterFileSystem connect() {
    return ClusterFileSystem.connect(ClusterOptions.of(fleet.metaAddresses()));
  }

  private SoakReport loaded(
      Watch watch, ClusterFileSystem own, ReplicaProbe direct, VerifyingLoad working)
      throws InterruptedException {
    var scene = new FaultScene(fleet, timings, watch, findings, options.load().seed(), log);
    var hurting =
        new FaultDriver(
            scene, working, own, direct, options.faults(), options.once() ? 1 : Integer.MAX_VALUE);
    driver = hurting;
    Thread faults = Thread.ofPlatform().name("faults").daemon().start(hurting);
    try {
      progressUntil(working, faults, System.nanoTime() + options.duration().toNanos());
      hurting.stop();
      faults.join();
    } catch (InterruptedException e) {
      faults.interrupt();
      throw e;
    }
    await(watch, RECOVERY, "after the last fault");
    working.checkHanging();
    working.stop();
    stopped.set(System.nanoTime());
    log.accept("the load has ended; reading everything back");
    VerifyingLoad.Verified verified = null;
    long compared = 0;
    try {
      verified = working.verifyAll(own);
      compared = compareReplicas(direct, working);
    } catch (LuciolaException e) {
      findings.add("everything can be read back", "the end", "read", e.toString());
    }
    return report(verified, compared);
  }

  private SoakReport report(VerifyingLoad.@Nullable Verified verified, long compared) {
    FaultDriver hurting = driver;
    VerifyingLoad working = load;
    long now = stopped.get() == 0 ? System.nanoTime() : stopped.get();
    Map<String, Integer> done = new TreeMap<>();
    if (hurting != null) {
      hurting.done().forEach((kind, count) -> done.put(kind.optionName(), count));
    }
    return new SoakReport(
        options.load().seed(),
        working == null ? 0 : (now - started.get()) / 1e9,
        done,
        working == null ? List.of() : working.meter().rows(),
        working == null ? Map.of() : working.meter().errors(),
        silence,
        hurting == null ? Map.of() : hurting.staleAnswers(),
        verified,
        compared,
        findings.count(),
        SoakReport.texts(findings.kept()));
  }

  private void silent(OperationKind.Side side, long nanos) {
    FaultDriver hurting = driver;
    String fault =
        hurting == null ? "none" : hurting.latest().map(FaultKind::optionName).orElse("none");
    long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
    log.accept("nobody had an answer of " + side + " for " + millis + " ms");
    silence
        .computeIfAbsent(side.name().toLowerCase(Locale.ROOT), _ -> new ConcurrentSkipListMap<>())
        .merge(fault, millis, Math::max);
  }

  private void await(Watch watch, Duration timeout, String when) {
    Optional<String> seen = watch.awaitWhole(timeout);
    if (seen.isPresent()) {
      findings.add("the cluster recovers", when, "every replica serves", seen.get());
    }
  }

  private void progressUntil(VerifyingLoad working, Thread faults, long deadline)
      throws InterruptedException {
    long next = System.nanoTime() + PROGRESS_NANOS;
    while (System.nanoTime() - deadline < 0 && !(options.once() && !faults.isAlive())) {
      TimeUnit.NANOSECONDS.sleep(LOOK_NANOS);
      if (System.nanoTime() - next > 0) {
        next += PROGRESS_NANOS;
        working.checkHanging();
        log.accept(progress(working));
      }
    }
  }

  private String progress(VerifyingLoad working) {
    long operations = 0;
    long blocks = 0;
    for (Meter.Row row : working.meter().rows()) {
      operations += row.operations();
      blocks += row.kind().name().startsWith("READ_") ? row.blocks() : 0;
    }
    return (System.nanoTime() - started.get()) / 1_000_000_000
        + " s: "
        + operations
        + " operations, "
        + blocks
        + " blocks verified, "
        + findings.count()
        + " violations; slow: "
        + working.slowerThan(TimeUnit.SECONDS.toNanos(10));
  }

  /** Every block of every replica by itself: they must all hold the same. */
  private long compareReplicas(ReplicaProbe direct, VerifyingLoad working) {
    long compared = 0;
    for (BlockAddress block : working.allBlocks()) {
      List<ReplicaProbe.Replica> replicas = direct.replicas(block);
      if (replicas.size() < options.replicas()) {
        findings.add("replicas agree", block.toString(), options.replicas() + "", replicas + "");
      }
      for (ReplicaProbe.Replica replica : replicas) {
        compared += compare(direct, working, block, replica) ? 1 : 0;
      }
    }
    return compared;
  }

  private boolean compare(
      ReplicaProbe direct,
      VerifyingLoad working,
      BlockAddress block,
      ReplicaProbe.Replica replica) {
    ErrorCode last = ErrorCode.OK;
    for (int attempt = 0; attempt < REPLICA_TRIES; attempt++) {
      Optional<VerifyingLoad.DirectRead> read = working.beginDirectRead("replicas agree", block);
      if (read.isEmpty()) {
        return false;
      }
      ReplicaProbe.Answer answer = direct.read(replica, block, ASK).join();
      if (answer.code() == ErrorCode.OK && answer.badPiece() < 0) {
        return read.get().got(answer.bytes());
      }
      read.get().refused();
      last = answer.code();
      LockSupport.parkNanos(LOOK_NANOS);
    }
    findings.add("replicas agree", replica + " " + block, "the block", last.name());
    return false;
  }

  /** A violation: says it at once, with what each replica holds of the block. */
  private void found(Violation violation) {
    if (ended) {
      return;
    }
    log.accept(violation.toString());
    ReplicaProbe direct = probe;
    VerifyingLoad working = load;
    if (direct == null || working == null) {
      return;
    }
    violation.address().ifPresent(block -> evidence(direct, working, block));
  }

  private void evidence(ReplicaProbe direct, VerifyingLoad working, BlockAddress block) {
    for (ReplicaProbe.Replica replica : direct.replicas(block)) {
      if (replica.state() != PublicState.OFFLINE) {
        ReplicaProbe.Answer answer = direct.read(replica, block, Duration.ofSeconds(3)).join();
        log.accept(
            "  evidence: "
                + replica
                + " code="
                + answer.code()
                + " version="
                + answer.version()
                + " badPiece="
                + answer.badPiece()
                + (answer.code() == ErrorCode.OK
                    ? " holds " + working.describe(block, answer.bytes())
                    : ""));
      }
    }
  }
}
