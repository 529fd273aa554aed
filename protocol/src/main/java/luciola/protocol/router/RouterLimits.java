package luciola.protocol.router;

import java.util.concurrent.TimeUnit;

/**
 * Bounds of a request's retries.
 *
 * @param deadlineNanos from the start of a request to giving up
 * @param attemptNanos one attempt's time before it counts as TIMED_OUT
 * @param backoffMinNanos first wait before trying again; doubles with each failure
 * @param backoffMaxNanos longest such wait
 * @param avoidNanos how long reads avoid a server whose connection failed while others can answer
 * @param roundsMax reads: times that every serving replica may report bad data before that is
 *     believed
 */
public record RouterLimits(
    long deadlineNanos,
    long attemptNanos,
    long backoffMinNanos,
    long backoffMaxNanos,
    long avoidNanos,
    int roundsMax) {
  /** 60 s in all, 5 s an attempt, waits from 5 ms to 1 s, 2 s of avoiding, 3 rounds. */
  public static final RouterLimits DEFAULT =
      new RouterLimits(
          TimeUnit.SECONDS.toNanos(60),
          TimeUnit.SECONDS.toNanos(5),
          TimeUnit.MILLISECONDS.toNanos(5),
          TimeUnit.SECONDS.toNanos(1),
          TimeUnit.SECONDS.toNanos(2),
          3);

  public RouterLimits {
    if (deadlineNanos < 1
        || attemptNanos < 1
        || backoffMinNanos < 1
        || backoffMaxNanos < backoffMinNanos
        || avoidNanos < 0
        || roundsMax < 1) {
      throw new IllegalArgumentException(
          "bad limits: deadlineNanos="
              + deadlineNanos
              + " attemptNanos="
              + attemptNanos
              + " backoffMinNanos="
              + backoffMinNanos
              + " backoffMaxNanos="
              + backoffMaxNanos
              + " avoidNanos="
              + avoidNanos
              + " roundsMax="
              + roundsMax);
    }
  }

  /** The same with another deadline; an attempt is never longer than it. */
  public RouterLimits withDeadlineNanos(long nanos) {
    return new RouterLimits(
        nanos,
        Math.min(attemptNanos, nanos),
        backoffMinNanos,
        backoffMaxNanos,
        avoidNanos,
        roundsMax);
  }
}
