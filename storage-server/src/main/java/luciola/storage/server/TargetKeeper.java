package luciola.storage.server;

import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import luciola.storage.host.ReplicaHost;
import luciola.storage.scrub.ScrubState;
import luciola.storage.scrub.TargetScrub;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one target in service while its server runs. When its disk fails the target's replicas end,
 * everything of it is closed at once, so that the disk can be unmounted, and it is opened again
 * after growing pauses, or when an operator asks. Its replicas then begin as after a start of the
 * server: they take part in nothing until the manager has counted the former life out.
 *
 * <p>A thread of its own does all of it: a disk that hangs holds up no other target.
 */
final class TargetKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TargetKeeper.class);
  private static final long LOOK_MILLIS = 200;
  private static final long REPLICAS_END_SECONDS = 5;
  private static final long END_MILLIS = 60_000;

  private final Target target;
  private final ReplicaHost host;
  private final Function<Target, TargetScrub> scrubs;
  private final ReopenSettings settings;
  private final Semaphore asked = new Semaphore(0);
  private final Thread thread;
  private volatile @Nullable TargetScrub scrub;
  private volatile boolean closing;

  // Of the thread.
  private boolean open = true;
  private String cause = "";
  private int failures;
  private int tries;
  private long openedNanos = System.nanoTime();
  private long dueNanos;

  /**
   * Starts to watch over a target that is open and has been given to the host.
   *
   * @param scrubs starts to scrub it
   */
  TargetKeeper(
      Target target,
      ReplicaHost host,
      Function<Target, TargetScrub> scrubs,
      ReopenSettings settings) {
    this.target = target;
    this.host = host;
    this.scrubs = scrubs;
    this.settings = settings;
    this.scrub = scrubs.apply(target);
    this.thread =
        Thread.ofPlatform().name("target-" + target.number() + "-keeper").daemon().start(this::run);
  }

  /** How far the scrub is. */
  ScrubState scrubState() {
    TargetScrub now = scrub;
    return now == null ? ScrubState.NONE : now.state();
  }

  /** An operator wants the target opened now, if it is not. Does not wait. */
  void openNow() {
    asked.release();
  }

  private void run() {
    try {
      while (!closing) {
        boolean wanted = asked.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        asked.drainPermits();
        if (!closing) {
          look(wanted);
        }
      }
    } catch (InterruptedException e) {
      log.debug("interrupted thread={}", thread.getName());
    }
  }

  private void look(boolean wanted) {
    long now = System.nanoTime();
    if (open && target.engine().isHealthy()) {
      if (failures > 0 && now - openedNanos > settings.longestPause().toNanos()) {
        failures = 0;
        tries = 0;
      }
    } else if (open) {
      shut();
    } else if (wanted || (tries < settings.triesMax() && now - dueNanos >= 0)) {
      if (wanted) {
        log.info("an operator wants a target opened target={}", target.number());
        failures = 1;
        tries = 0;
      }
      tryToOpen();
    }
  }

  /** The disk failed: nothing of the target stays in use. */
  private void shut() {
    cause = target.engine().failure().orElse("failed");
    boolean ended =
        host.detach(target.id(), cause)
            .completeOnTimeout(false, REPLICAS_END_SECONDS, TimeUnit.SECONDS)
            .join();
    if (!ended) {
      log.warn("replicas of a failed target have not ended yet target={}", target.number());
      return;
    }
    TargetScrub scrubbing = scrub;
    scrub = null;
    if (scrubbing != null) {
      scrubbing.close();
    }
    try {
      target.close();
    } catch (IOException | RuntimeException e) {
      log.warn("a failed target did not close cleanly target={}", target.number(), e);
    }
    open = false;
    failures++;
    plan();
    log.error(
        "target failed and is closed, opened again when its disk is well target={} directory={}"
            + " cause={} pause={}",
        target.number(),
        target.path(),
        cause,
        settings.pause(failures));
  }

  private void tryToOpen() {
    tries++;
    try {
      target.reopen();
    } catch (IOException | RuntimeException e) {
      failures++;
      plan();
      log.warn(
          "target cannot be opened yet target={} try={} of={} pause={} cause={}",
          target.number(),
          tries,
          settings.triesMax(),
          settings.pause(failures),
          String.valueOf(e.getMessage()));
      var _ = host.detach(target.id(), cause + "; closed since, not open again: " + e.getMessage());
      return;
    }
    open = true;
    openedNanos = System.nanoTime();
    log.info("target is open again target={} try={}", target.number(), tries);
    host.attach(target.id(), target.engine());
    scrub = scrubs.apply(target);
  }

  private void plan() {
    dueNanos = System.nanoTime() + settings.pause(failures).toNanos();
  }

  /** Watches no more, and ends the scrub; the target itself stays as it is. */
  @Override
  public void close() {
    closing = true;
    asked.release();
    try {
      thread.join(END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    TargetScrub now = scrub;
    if (now != null) {
      now.close();
    }
  }
}
