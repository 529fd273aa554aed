package luciola.storage.scrub;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.storage.engine.ChainContents;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Verifies every chunk of one target against the device, pass after pass, and has bad ones
 * repaired; forgets client channels that are long unused. Has a thread of its own, so that a slow
 * disk holds up no other.
 */
public final class TargetScrub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TargetScrub.class);
  private static final int PAGE = 256;
  private static final int EXPIRED_MAX = 100_000;
  private static final long SAVE_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long RETRY_MILLIS = 1000;
  private static final long EXPIRE_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final String name;
  private final ChunkEngine engine;
  private final Supplier<Collection<ChainId>> chains;
  private final ScrubSettings settings;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  private ScrubPosition position = ScrubPosition.NONE;
  private long savedNanos;
  private long passes;
  private long found;
  private long repaired;
  private long bytesTotal;
  private volatile ScrubState state = new ScrubState(0, 0, 0, -1, 0, 0);
  private volatile long endedMillis;

  /**
   * Starts to scrub.
   *
   * @param name of the thread and log lines
   * @param chains whose chunks are on the target
   */
  public TargetScrub(
      String name,
      ChunkEngine engine,
      Supplier<Collection<ChainId>> chains,
      ScrubSettings settings) {
    this.name = name;
    this.engine = engine;
    this.chains = chains;
    this.settings = settings;
    this.thread = Thread.ofPlatform().name(name + "-scrub").daemon().start(this::run);
  }

  /** What to report; any thread. */
  public ScrubState state() {
    ScrubState now = state;
    long ended = endedMillis;
    long age =
        ended == 0
            ? -1
            : TimeUnit.MILLISECONDS.toNanos(Math.max(0, System.currentTimeMillis() - ended));
    return new ScrubState(
        now.bytesDone(), now.bytesTotal(), now.passes(), age, now.found(), now.repaired());
  }

  private void run() {
    try {
      position = ScrubPosition.load(settings.position());
    } catch (IOException e) {
      log.warn("scrub begins anew name={}", name, e);
    }
    endedMillis = position.endedMillis();
    try {
      long expiredMillis = System.currentTimeMillis();
      while (!closing.await(millisToNextPass(), TimeUnit.MILLISECONDS)) {
        if (due()) {
          pass();
        }
        if (Math.abs(System.currentTimeMillis() - expiredMillis) >= EXPIRE_MILLIS) {
          expiredMillis = System.currentTimeMillis();
          expireDedups();
        }
      }
    } catch (InterruptedException e) {
      log.debug("scrub ends name={}", name);
    }
    save();
  }

  private boolean due() {
    // A clock that was set back makes the next pass come early, not late.
    long age = System.currentTimeMillis() - position.endedMillis();
    return position.underWay()
        || position.endedMillis() == 0
        || age < 0
        || age >= settings.period().toMillis();
  }

  private long millisToNextPass() {
    long left = position.endedMillis() + settings.period().toMillis() - System.currentTimeMillis();
    return due()
        ? Math.min(RETRY_MILLIS, settings.period().toMillis())
        : Math.min(left, EXPIRE_MILLIS);
  }

  private void pass() throws InterruptedException {
    List<ChainId> all = chains.get().stream().sorted().toList();
    bytesTotal = all.stream().mapToLong(chain -> engine.chain(chain).totals().bytes()).sum();
    if (!position.underWay()) {
      position = position.began(System.currentTimeMillis());
    }
    publish();
    var pace = new ScrubPace(settings.bytesPerSecond().getAsLong(), settings.period().toNanos());
    if (pace.late(bytesTotal)) {
      log.warn(
          "scrub takes longer than its period name={} bytes={} bytesPerSecond={} period={}",
          name,
          bytesTotal,
          pace.bytesPerSecond(),
          settings.period());
    }
    Optional<ChunkKey> from = position.last();
    long foundBefore = found;
    for (ChainId chain : all) {
      if (from.isEmpty() || chain.compareTo(from.get().chain()) >= 0) {
        Optional<ChunkId> after =
            from.filter(last -> last.chain().equals(chain)).map(ChunkKey::chunk);
        if (!chain(chain, after)) {
          return; // What was done is kept: it goes on from there.
        }
      }
    }
    long bytes = position.bytesDone();
    position = position.ended(System.currentTimeMillis());
    endedMillis = position.endedMillis();
    passes++;
    bytesTotal = 0;
    publish();
    save();
    log.info("scrub pass name={} bytes={} bad={}", name, bytes, found - foundBefore);
  }

  /** Whether it came to the end of the chain. */
  private boolean chain(ChainId chain, Optional<ChunkId> from) throws InterruptedException {
    Optional<ChunkId> after = from;
    try {
      ChainContents.Inventory page;
      do {
        page = engine.chain(chain).inventory(after, PAGE);
        for (ChunkSummary each : page.chunks()) {
          check(new ChunkKey(chain, each.chunk()), each.chunkBytes());
          after = Optional.of(each.chunk());
        }
      } while (page.more() && !page.chunks().isEmpty());
      return true;
    } catch (RuntimeException e) {
      log.warn("scrub stopped, goes on later name={} chain={}", name, chain, e);
      return false;
    }
  }

  private void check(ChunkKey chunk, int bytes) throws InterruptedException {
    var pace = new ScrubPace(settings.bytesPerSecond().getAsLong(), settings.period().toNanos());
    long nanos = bytes == 0 ? 0 : pace.nanosFor(bytes, bytesTotal);
    if (closing.await(nanos, TimeUnit.NANOSECONDS)) {
      throw new InterruptedException("closing");
    }
    switch (health(chunk)) {
      case GOOD -> {}
      case REPAIRED -> {
        found++;
        repaired++;
      }
      case BAD -> {
        found++;
        log.error("bad chunk that no other replica could repair name={} chunk={}", name, chunk);
      }
    }
    position = position.at(chunk, bytes);
    publish();
    if (System.nanoTime() - savedNanos > SAVE_NANOS) {
      save();
    }
  }

  private ChunkEngine.Health health(ChunkKey chunk) {
    try {
      return engine.check(chunk).join();
    } catch (CompletionException e) {
      log.warn("scrub of a chunk failed name={} chunk={}", name, chunk, e);
      return ChunkEngine.Health.BAD;
    }
  }

  private void expireDedups() {
    for (ChainId chain : chains.get()) {
      try {
        engine.chain(chain).expireDedups(settings.dedupKeep().toSeconds(), EXPIRED_MAX).join();
      } catch (RuntimeException e) {
        log.warn("unused channels were not forgotten name={} chain={}", name, chain, e);
      }
    }
  }

  private void publish() {
    state =
        new ScrubState(
            position.underWay() ? position.bytesDone() : 0,
            position.underWay() ? bytesTotal : 0,
            passes,
            -1,
            found,
            repaired);
  }

  private void save() {
    savedNanos = System.nanoTime();
    try {
      position.save(settings.position());
    } catch (IOException e) {
      log.warn("place of the scrub was not kept name={}", name, e);
    }
  }

  @Override
  public void close() {
    closing.countDown();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(30));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
