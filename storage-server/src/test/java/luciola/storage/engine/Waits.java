package luciola.storage.engine;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waiting for a condition, with a deadline. */
final class Waits {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private Waits() {}

  static void until(BooleanSupplier condition) {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("condition did not come true");
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
