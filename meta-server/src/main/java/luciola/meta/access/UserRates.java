package luciola.meta.access;

import java.util.concurrent.ConcurrentHashMap;

/**
 * How many operations each user may ask for in a second: what is not used is kept for one second.
 * Time is given, differences only; any thread.
 */
public final class UserRates {
  private static final double SECOND = 1e9;

  private final long perSecond;
  private final ConcurrentHashMap<Long, Bucket> users = new ConcurrentHashMap<>();

  /**
   * @param perSecond operations of one user; 0: as many as it likes
   */
  public UserRates(long perSecond) {
    if (perSecond < 0) {
      throw new IllegalArgumentException("bad rate: perSecond=" + perSecond);
    }
    this.perSecond = perSecond;
  }

  /** Whether this user may do one more operation now. */
  public boolean admit(long user, long nowNanos) {
    return perSecond == 0
        || users.computeIfAbsent(user, _ -> new Bucket(perSecond, nowNanos)).take(nowNanos);
  }

  private static final class Bucket {
    private final long perSecond;
    private double left;
    private long sinceNanos;

    Bucket(long perSecond, long nowNanos) {
      this.perSecond = perSecond;
      this.left = perSecond;
      this.sinceNanos = nowNanos;
    }

    synchronized boolean take(long nowNanos) {
      long passed = Math.max(0, nowNanos - sinceNanos);
      left = Math.min((double) perSecond, left + passed / SECOND * perSecond);
      sinceNanos += passed;
      if (left < 1) {
        return false;
      }
      left -= 1;
      return true;
    }
  }
}
