package luciola.protocol.control;

import java.util.concurrent.TimeUnit;

/**
 * The time of day, by which tokens and tickets expire: it outlives restarts and is the same on all
 * machines, but for what their clocks are off. A clock that is set makes them good for longer or
 * shorter, nothing else.
 */
public final class WallTime {
  private WallTime() {}

  /** Nanoseconds since 1970. */
  public static long nanos() {
    return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
  }
}
