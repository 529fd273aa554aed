package luciola.storage.server;

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
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Re-reads every chunk from the device, round after round at a bounded bandwidth, and has bad ones
 * repaired; forgets client channels that are long unused.
 */
final class Scrubber implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Scrubber.class);
  private static final int PAGE = 256;
  private static final int EXPIRED_MAX = 100_000;

  private final StorageServerConfig config;
  private final Supplier<Collection<Work>> work;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  Scrubber(StorageServerConfig config, Supplier<Collection<Work>> work) {
    this.config = config;
    this.work = work;
    this.thread = Thread.ofPlatform().name("storage-scrub").daemon().start(this::run);
  }

  /** One chain on one target. */
  record Work(ChainId chain, ChunkEngine engine) {}

  private void run() {
    try {
      while (!closing.await(config.scrubPause().toMillis(), TimeUnit.MILLISECONDS)) {
        for (Work each : List.copyOf(work.get())) {
          round(each);
        }
      }
    } catch (InterruptedException e) {
      log.debug("scrub ends");
    }
  }

  private void round(Work of) throws InterruptedException {
    long bad = 0;
    long seen = 0;
    try {
      Optional<ChunkId> after = Optional.empty();
      ChunkEngine.Inventory page;
      do {
        page = of.engine().inventory(of.chain(), after, PAGE);
        for (ChunkSummary each : page.chunks()) {
          seen++;
          bad += check(of, each) == ChunkEngine.Health.GOOD ? 0 : 1;
          after = Optional.of(each.chunk());
        }
      } while (page.more() && !page.chunks().isEmpty());
      of.engine().expireDedups(of.chain(), config.dedupKeep().toSeconds(), EXPIRED_MAX).join();
    } catch (RuntimeException e) {
      log.warn("scrub round ended early chain={}", of.chain(), e);
    }
    log.info("scrub round chain={} chunks={} bad={}", of.chain(), seen, bad);
  }

  private ChunkEngine.Health check(Work of, ChunkSummary chunk) throws InterruptedException {
    long nanos = (long) (chunk.chunkBytes() * 1e9 / config.scrubBytesPerSecond());
    if (closing.await(nanos, TimeUnit.NANOSECONDS)) {
      throw new InterruptedException("closing");
    }
    try {
      return of.engine().check(new ChunkKey(of.chain(), chunk.chunk())).join();
    } catch (CompletionException e) {
      log.warn("scrub of a chunk failed chain={} chunk={}", of.chain(), chunk.chunk(), e);
      return ChunkEngine.Health.BAD;
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
