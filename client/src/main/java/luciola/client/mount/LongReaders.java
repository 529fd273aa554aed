package luciola.client.mount;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the files that programs have had open for reading for a while, so that they stay when
 * another client removes them. Those that are read and closed at once, as samples of a dataset are,
 * cost nothing.
 */
final class LongReaders implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LongReaders.class);
  private static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Duration PERIOD = Duration.ofMillis(500);
  private static final int KEPT_MAX = 4096;

  private final OpenFiles open;
  private final Thread keeping;

  LongReaders(OpenFiles open) {
    this.open = open;
    this.keeping = Thread.ofVirtual().name("mount-readers").start(this::keepAlways);
  }

  private void keepAlways() {
    try {
      while (true) {
        Thread.sleep(PERIOD);
        for (OpenInode file : open.toBeKept(AGE_NANOS, KEPT_MAX)) {
          keep(file);
        }
      }
    } catch (InterruptedException _) {
      log.debug("readers are kept no more");
    }
  }

  private static void keep(OpenInode file) throws InterruptedException {
    try {
      file.keep();
    } catch (LuciolaException e) {
      // Perhaps it went a moment ago; the next round asks again.
      log.debug("a file that is read is not kept: error={}", e.getMessage());
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  @Override
  public void close() {
    keeping.interrupt();
  }
}
