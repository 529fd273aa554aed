package luciola.storage.engine;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waiting for a condition, with a deadline. */
public final class Waits {
  private static final Duration DEADLINE = Duration.ofSeconds(90);

  private Waits() {}

  /** Waits for a condition. */
  public static void until(BooleanSupplier condition) {
    until(() -> "the condition", condition);
  }

  /** Waits for a condition, which has a name. */
  public static void until(Supplier<String> what, BooleanSupplier condition) {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("did not come true: " + what.get());
      }
      LockSupport.parkNanos(2_000_000);
    }
  }
}
