package luciola.meta.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import luciola.meta.cluster.MemberRecovery;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file, the questions and the time around {@link MemberRecovery}. A file beside the log says
 * that this member is not to be counted on; it is there before the log is, and gone once the member
 * has everything. Any thread.
 */
final class Recovery implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
  private static final String RECOVERING = "recovering";
  private static final long ASK_MILLIS = 100;
  private static final long SAY_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** No read waits for the answers: reads count their rounds from 1. */
  static final long NO_READ = 0;

  /** Asked after a leader was heard. */
  private static final long SINCE_HEARD = -1;

  private final List<String> others;
  private final Path home;
  private final Path file;
  private final Thread asks;

  /** Null for a member that has its log, or is alone. */
  private @Nullable MemberRecovery core;

  private volatile boolean done;
  private volatile Optional<String> leader = Optional.empty();

  /**
   * Of a member that starts.
   *
   * @param fresh whether it has no log
   * @param applied the last entry that is on the disk here, and applied
   * @throws IOException if it cannot be kept that it has to recover
   */
  Recovery(LogConfig config, boolean fresh, Peers peers, LongSupplier applied) throws IOException {
    this.others =
        config.members().stream().map(Member::id).filter(id -> !id.equals(config.self())).toList();
    Path log = config.directory().toAbsolutePath();
    this.home = Objects.requireNonNull(log.getParent(), "the log's directory has none around it");
    this.file = home.resolve(RECOVERING);
    boolean recovers = !others.isEmpty() && (fresh || Files.exists(file));
    this.done = !recovers;
    if (recovers) {
      this.core = new MemberRecovery(others.size(), fresh);
      Files.createDirectories(home);
      Files.writeString(file, "This member has lost its log and does not have everything yet.\n");
      force(file);
      force(home);
    }
    this.asks =
        Thread.ofVirtual().name("meta-recovery").unstarted(() -> askUntilDone(peers, applied));
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  void start() {
    if (!done) {
      asks.start();
    }
  }

  private void askUntilDone(Peers peers, LongSupplier applied) {
    long saidNanos = System.nanoTime();
    try {
      while (!done) {
        peers.confirm(NO_READ);
        long round = hasHeard() ? SINCE_HEARD : NO_READ;
        others.forEach(other -> peers.readIndex(other, round));
        TimeUnit.MILLISECONDS.sleep(ASK_MILLIS);
        step(core -> core.applied(applied.getAsLong()));
        if (System.nanoTime() - saidNanos > SAY_NANOS) {
          saidNanos = System.nanoTime();
          LOG.info(
              "no log of its own, does not vote: leader={} applied={}",
              leader.orElse("none that a majority of the others confirms"),
              applied.getAsLong());
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private interface Step {
    void on(MemberRecovery core);
  }

  private synchronized void step(Step step) {
    MemberRecovery recovering = core;
    if (recovering == null) {
      return;
    }
    step.on(recovering);
    if (recovering.isDone()) {
      try {
        Files.deleteIfExists(file);
        force(home);
      } catch (IOException e) {
        LOG.warn("cannot keep that this member has its log: file={}", file, e);
        return;
      }
      LOG.info("has a log or is one of a new group, votes: led={}", leader.orElse(""));
      core = null;
      done = true;
    }
  }

  /** Another member has said how far it is: -1 if it has no log. */
  void logOf(String member, long index) {
    step(core -> core.logOf(others.indexOf(member), index < 0));
  }

  /** Another member leads, as a majority without this one has confirmed. */
  void leads(long round, String member, long term, long decided) {
    if (round <= NO_READ && term > 0) {
      leader = Optional.of(member);
      step(core -> core.leads(term, decided, round == SINCE_HEARD));
    }
  }

  private synchronized boolean hasHeard() {
    MemberRecovery recovering = core;
    return recovering != null && recovering.hasHeard();
  }

  /** Who leads, as a majority without this one has confirmed. */
  Optional<String> leader() {
    return leader;
  }

  /** Whether entries are taken of whoever leads this term, and sends some now. */
  boolean takes(long term) {
    // Every append comes here.
    return done || takesStill(term);
  }

  private synchronized boolean takesStill(long term) {
    MemberRecovery recovering = core;
    if (recovering == null) {
      return true;
    }
    boolean takes = recovering.takes(term);
    if (takes) {
      recovering.hears();
    }
    return takes;
  }

  /** Whether any entries are taken. */
  synchronized boolean takesAny() {
    MemberRecovery recovering = core;
    return recovering == null || recovering.takes(Long.MAX_VALUE);
  }

  /** Whether this member votes, and counts where a majority is asked. */
  boolean isDone() {
    return done;
  }

  @Override
  public void close() {
    asks.interrupt();
  }
}
