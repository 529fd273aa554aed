package luciola.cli.soak.fault;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import luciola.cli.soak.load.BlockAddress;
import luciola.cli.soak.load.Findings;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Hurts a fleet in one way after the other, as a seed says, until told to stop. Whatever it does it
 * undoes: when {@link #run} returns every server runs and can be reached, though it may still be on
 * its way to serving.
 *
 * <p>It never damages more than the replicas can make good: the files of one server only, and not
 * of another one before every replica of the first was read and found right.
 */
public final class FaultDriver implements Runnable {
  private static final Duration RECOVERY = Duration.ofSeconds(150);
  private static final Duration SWEEP = Duration.ofSeconds(30);
  private static final Duration ASK = Duration.ofSeconds(20);
  private static final int STALE_READS = 64;
  private static final long FILLER_BYTES = 4 << 20;
  private static final int FILLERS_MAX = 400;

  private final Fleet fleet;
  private final ClusterTimings timings;
  private final VerifyingLoad load;
  private final LuciolaFileSystem files;
  private final ReplicaProbe probe;
  private final Watch watch;
  private final Findings findings;
  private final Consumer<String> log;
  private final List<FaultKind> kinds;
  private final int rounds;
  private final Random random;
  private final Map<FaultKind, Integer> done = new EnumMap<>(FaultKind.class);
  private final Map<String, Integer> staleAnswers = new java.util.TreeMap<>();
  private volatile boolean stopping;

  /**
   * Ready to run.
   *
   * @param files a client of its own
   * @param rounds how often each kind is done
   * @param log told of everything that happens, a line each
   */
  public FaultDriver(
      Fleet fleet,
      ClusterTimings timings,
      VerifyingLoad load,
      LuciolaFileSystem files,
      ReplicaProbe probe,
      Watch watch,
      Findings findings,
      Set<FaultKind> kinds,
      int rounds,
      long seed,
      Consumer<String> log) {
    this.fleet = fleet;
    this.timings = timings;
    this.load = load;
    this.files = files;
    this.probe = probe;
    this.watch = watch;
    this.findings = findings;
    this.log = log;
    this.kinds =
        kinds.stream()
            .filter(kind -> kind != FaultKind.CUT || !fleet.cuts().isEmpty())
            .sorted()
            .toList();
    this.rounds = rounds;
    this.random = new Random(seed);
  }

  /** How often each was done. */
  public synchronized Map<FaultKind, Integer> done() {
    return new EnumMap<>(done.isEmpty() ? new EnumMap<>(FaultKind.class) : done);
  }

  /** What servers answered that were asked for old data right after a pause, and how often. */
  public synchronized Map<String, Integer> staleAnswers() {
    return new java.util.TreeMap<>(staleAnswers);
  }

  /** Ends after the present fault. */
  public void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    try {
      for (int round = 0; round < rounds && !stopping && !kinds.isEmpty(); round++) {
        List<FaultKind> left = new ArrayList<>(kinds);
        Collections.shuffle(left, random);
        while (!left.isEmpty() && !stopping) {
          quiet(random.nextInt(500, 4_000));
          if (!stopping) {
            one(left.removeLast());
          }
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException broken) {
      findings.add("the fault driver goes on", "faults", "no exception", broken.toString());
      broken.printStackTrace();
    }
  }

  /** Does one fault, from the hurting to the mending. */
  public void one(FaultKind kind) throws IOException, InterruptedException {
    revive();
    switch (kind) {
      case KILL -> kill(1);
      case KILL_TWO -> kill(2);
      case KILL_ALL -> kill(fleet.storageServers().size());
      case KILL_DURING_RESYNC -> killDuringResync();
      case PAUSE -> pause();
      case PAUSE_SHORTLY -> pauseShortly();
      case META_KILL -> metaKill();
      case META_PAUSE -> metaPause();
      case CORRUPT -> corrupt();
      case TRUNCATE -> truncate();
      case FULL -> full();
      case CUT -> cut();
    }
    synchronized (this) {
      done.merge(kind, 1, Integer::sum);
    }
    if (random.nextInt(3) > 0) {
      awaitWhole(kind.optionName());
    }
  }

  /** Starts what has ended by itself: that is a mistake, but the others are to go on. */
  private void revive() throws IOException {
    var all = new ArrayList<>(fleet.storageServers());
    all.add(fleet.metaServer());
    for (String server : all) {
      Optional<String> ended = fleet.ended(server);
      if (ended.isPresent()) {
        findings.add("a server runs until it is ended", server, "alive", ended.get());
        fleet.start(server);
      }
    }
  }

  private boolean awaitWhole(String after) throws IOException {
    long started = System.nanoTime();
    Optional<String> seen = watch.awaitWhole(RECOVERY);
    revive();
    if (seen.isPresent()) {
      findings.add(
          "the cluster recovers",
          "after " + after,
          "every replica serves within " + RECOVERY.toSeconds() + " s",
          seen.get());
      return false;
    }
    log.accept(
        String.format(
            java.util.Locale.ROOT,
            "whole again after %s: %.1f s",
            after,
            (System.nanoTime() - started) / 1e9));
    return true;
  }

  private static void quiet(long millis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    long left;
    while ((left = deadline - System.nanoTime()) > 0 && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(left);
    }
  }

  private long millis(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(nanos);
  }

  private List<String> some(int count) {
    var servers = new ArrayList<>(fleet.storageServers());
    Collections.shuffle(servers, random);
    return servers.subList(0, Math.min(count, servers.size()));
  }

  private void kill(int count) throws IOException, InterruptedException {
    List<String> servers = some(count);
    log.accept("kill " + servers);
    for (String server : servers) {
      fleet.kill(server);
      quiet(random.nextInt(count == 1 ? 1 : 400));
    }
    quiet(random.nextLong(millis(timings.failureNanos()) * 2));
    Collections.shuffle(servers, random);
    for (String server : servers) {
      fleet.start(server);
      log.accept("started " + server);
      quiet(random.nextInt(count == 1 ? 1 : 1_500));
    }
  }

  private void killDuringResync() throws IOException, InterruptedException {
    List<String> servers = some(2);
    log.accept("kill " + servers.getFirst() + ", then " + servers.getLast() + " during resync");
    fleet.kill(servers.getFirst());
    Optional<String> unseen =
        watch.await(view -> view.nodesAlive() < fleet.storageServers().size(), RECOVERY);
    fleet.start(servers.getFirst());
    if (unseen.isEmpty()) {
      watch.await(
          view ->
              view.chains().stream()
                  .anyMatch(chain ->
                      chain.members().stream().anyMatch(each -> each.endsWith(":syncing"))),
          Duration.ofSeconds(30));
    }
    fleet.kill(servers.getLast());
    quiet(random.nextLong(millis(timings.failureNanos()) * 2));
    fleet.start(servers.getLast());
    log.accept("started " + servers.getLast());
  }

  /** A replica, one of its blocks, and the answer that it owes. */
  private record Question(
      BlockAddress block,
      VerifyingLoad.DirectRead read,
      CompletableFuture<ReplicaProbe.Answer> answer) {}

  private void pause() throws IOException, InterruptedException {
    String server = some(1).getFirst();
    Map<BlockAddress, ReplicaProbe.Replica> known = blocksOf(server);
    long longer = millis(timings.failureNanos()) + 500 + random.nextLong(3_000);
    log.accept(
        "pause " + server + " for " + longer + " ms, asking for " + known.size() + " blocks");
    fleet.pause(server);
    try {
      quiet(longer);
      // What it has on its way when it wakes up: requests of clients that know no better.
      List<Question> questions = new ArrayList<>();
      known.forEach((block, replica) -> ask(block, replica).ifPresent(questions::add));
      fleet.resume(server);
      for (int again = 0; again < 3; again++) {
        known.forEach((block, replica) -> ask(block, replica).ifPresent(questions::add));
        quiet(20);
      }
      questions.forEach(this::settle);
    } finally {
      fleet.resume(server);
    }
    log.accept("resumed " + server + ", answers so far " + staleAnswers());
  }

  /** Blocks of which the server has a serving replica, and how that is addressed now. */
  private Map<BlockAddress, ReplicaProbe.Replica> blocksOf(String server) {
    Map<BlockAddress, ReplicaProbe.Replica> known = new java.util.HashMap<>();
    for (BlockAddress block : load.anyBlocks(random, STALE_READS)) {
      probe.replicas(block).stream()
          .filter(each -> each.address().equals(fleet.address(server)))
          .filter(each -> each.state() == luciola.protocol.routing.PublicState.SERVING)
          .forEach(each -> known.put(block, each));
    }
    known.values().stream().findFirst().ifPresent(this::connect);
    return known;
  }

  private void connect(ReplicaProbe.Replica replica) {
    try {
      probe.prepare(replica);
    } catch (RuntimeException unreachable) {
      log.accept("cannot reach " + replica.address() + ": " + unreachable.getMessage());
    }
  }

  private Optional<Question> ask(BlockAddress block, ReplicaProbe.Replica replica) {
    return load.beginDirectRead("a paused server serves nothing old", block)
        .map(read -> new Question(block, read, probe.read(replica, block, ASK)));
  }

  private void settle(Question question) {
    ReplicaProbe.Answer answer = question.answer().join();
    String outcome = answer.code().name();
    if (answer.good()) {
      outcome = question.read().got(answer.bytes()) ? "OK, current" : "OK, STALE";
    } else {
      question.read().refused();
    }
    synchronized (this) {
      staleAnswers.merge(outcome, 1, Integer::sum);
    }
  }

  private void pauseShortly() throws IOException {
    String server = some(1).getFirst();
    long shorter = 200 + random.nextLong(millis(timings.leaseNanos()) - 200);
    log.accept("pause " + server + " shortly, for " + shorter + " ms");
    fleet.pause(server);
    quiet(shorter);
    fleet.resume(server);
  }

  private void metaKill() throws IOException, InterruptedException {
    log.accept("kill " + fleet.metaServer());
    fleet.kill(fleet.metaServer());
    quiet(random.nextLong(millis(timings.failureNanos()) * 2));
    fleet.start(fleet.metaServer());
    log.accept("started " + fleet.metaServer());
  }

  private void metaPause() throws IOException {
    long longer = millis(timings.leaseNanos()) + 500 + random.nextLong(3_000);
    log.accept("pause " + fleet.metaServer() + " for " + longer + " ms");
    fleet.pause(fleet.metaServer());
    quiet(longer);
    fleet.resume(fleet.metaServer());
  }

  private void cut() throws IOException, InterruptedException {
    String server = some(1).getFirst();
    List<Cut> ways = List.copyOf(fleet.cuts());
    Cut way = ways.get(random.nextInt(ways.size()));
    Map<BlockAddress, ReplicaProbe.Replica> known =
        way == Cut.MANAGER || way == Cut.MANAGER_UNHEARD ? blocksOf(server) : Map.of();
    long millis = millis(timings.failureNanos()) + 500 + random.nextLong(4_000);
    log.accept("cut " + server + " off " + way + " for " + millis + " ms");
    fleet.cut(server, way);
    try {
      quiet(millis);
      // It can be reached and believes what it always believed, but the chains go on without it.
      List<Question> questions = new ArrayList<>();
      known.forEach((block, replica) -> ask(block, replica).ifPresent(questions::add));
      questions.forEach(this::settle);
    } finally {
      fleet.heal(server);
    }
    log.accept("healed " + server);
  }

  private void corrupt() throws IOException {
    if (!awaitWhole("what was before corruption")) {
      return;
    }
    String server = some(1).getFirst();
    int pages = 0;
    for (Path target : fleet.targetDirectories(server)) {
      pages += new BlockDamage(target, random).flipBits(1 + random.nextInt(12));
    }
    log.accept("flipped bits in " + pages + " pages of " + server);
    sweep(server, "flipped bits");
  }

  private void truncate() throws IOException, InterruptedException {
    if (!awaitWhole("what was before truncation")) {
      return;
    }
    String server = some(1).getFirst();
    boolean down = random.nextBoolean();
    if (down) {
      fleet.kill(server);
    }
    var cut = new ArrayList<String>();
    for (Path target : fleet.targetDirectories(server)) {
      cut.add(new BlockDamage(target, random).cut());
    }
    log.accept("cut " + cut + " of " + server + (down ? ", which is down" : ", which runs"));
    if (down) {
      fleet.start(server);
    }
    sweep(server, "cut block files");
  }

  /**
   * Reads every block of a server's replicas until all are right. A target may also give up its
   * disk: then its server is started again, which must mend it.
   */
  private void sweep(String server, String after) throws IOException {
    long deadline = System.nanoTime() + RECOVERY.toNanos();
    boolean restarted = false;
    while (true) {
      int bad = sweepOnce(server);
      Optional<String> notWhole = watch.awaitWhole(SWEEP);
      if (bad == 0 && notWhole.isEmpty()) {
        log.accept("every block of " + server + " is right after " + after);
        return;
      }
      if (System.nanoTime() - deadline > 0) {
        findings.add(
            "damage is repaired",
            server + " after " + after,
            "every block good",
            bad + " bad; " + notWhole.orElse("all serve"));
        return;
      }
      if (notWhole.isPresent() && !restarted) {
        restarted = true;
        log.accept("starting " + server + " again: " + notWhole.get());
        restart(server);
      }
    }
  }

  private void restart(String server) throws IOException {
    try {
      if (fleet.ended(server).isEmpty()) {
        fleet.kill(server);
      }
      fleet.start(server);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private int sweepOnce(String server) {
    int bad = 0;
    for (BlockAddress block : load.allBlocks()) {
      for (ReplicaProbe.Replica replica : probe.replicas(block)) {
        if (replica.address().equals(fleet.address(server))) {
          bad += goodBlock(replica, block) ? 0 : 1;
        }
      }
    }
    return bad;
  }

  private boolean goodBlock(ReplicaProbe.Replica replica, BlockAddress block) {
    Optional<VerifyingLoad.DirectRead> read =
        load.beginDirectRead("a damaged replica gives nothing wrong", block);
    if (read.isEmpty()) {
      return true;
    }
    ReplicaProbe.Answer answer = probe.read(replica, block, ASK).join();
    if (answer.good()) {
      return read.get().got(answer.bytes());
    }
    read.get().refused();
    if (answer.badPiece() >= 0) {
      probe.look(replica, block, answer.badPiece(), ASK).join();
    }
    return false;
  }

  private void full() {
    log.accept("writing until there is no space");
    String folder = "/filler-" + random.nextInt(1 << 20);
    int written = 0;
    ErrorCode last = ErrorCode.OK;
    try {
      files.mkdirs(folder);
      while (written < FILLERS_MAX && last != ErrorCode.NO_SPACE && !stopping) {
        last = fill(folder + "/" + written++);
      }
      quiet(random.nextInt(2_000));
    } catch (LuciolaException e) {
      log.accept("filling ended: " + e.getMessage());
    } finally {
      clear(folder);
    }
    log.accept("filled with " + written + " files of 4 MiB, ended by " + last + "; removed");
  }

  private ErrorCode fill(String path) {
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE_NEW)) {
      file.write(0, new byte[(int) FILLER_BYTES]);
      file.sync();
      return ErrorCode.OK;
    } catch (LuciolaException e) {
      return e.code();
    }
  }

  private void clear(String folder) {
    for (int attempt = 0; attempt < 30; attempt++) {
      try {
        files.removeRecursively(folder);
        return;
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.NOT_FOUND) {
          return;
        }
        quiet(500);
      }
    }
  }
}
