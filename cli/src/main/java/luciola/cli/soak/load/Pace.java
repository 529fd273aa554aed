package luciola.cli.soak.load;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Keeps all workers together below a rate. */
final class Pace {
  /** What an operation costs at least: it has more costs than its bytes. */
  private static final int OPERATION_BYTES = 32 << 10;

  private final long bytesPerSecond;
  private long nextNanos = System.nanoTime();

  Pace(long bytesPerSecond) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Waits for this operation's turn. */
  void await(long bytes) {
    long mine;
    synchronized (this) {
      long now = System.nanoTime();
      mine = Math.max(nextNanos, now);
      long cost = Math.max(bytes, OPERATION_BYTES);
      nextNanos = mine + (long) ((double) cost * TimeUnit.SECONDS.toNanos(1) / bytesPerSecond);
    }
    long wait;
    while ((wait = mine - System.nanoTime()) > 0 && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(wait);
    }
  }
}
