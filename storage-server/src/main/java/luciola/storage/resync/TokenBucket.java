package luciola.storage.resync;

/**
 * Bounds bytes in a second. Each take may go into debt, so that a piece larger than what may come
 * at once is not refused for ever; the next take waits until the debt is paid. What is not used is
 * kept for a tenth of a second. Time is given, differences only; any thread.
 */
public final class TokenBucket {
  private static final long SECOND = 1_000_000_000L;
  private static final int BURST_PARTS = 10;

  private long bytesPerSecond;
  private double bytes;
  private long sinceNanos;
  private boolean started;

  /**
   * @param bytesPerSecond 1 or more
   */
  public TokenBucket(long bytesPerSecond) {
    this.bytesPerSecond = checked(bytesPerSecond);
  }

  /** One that never makes anybody wait. */
  public static TokenBucket unlimited() {
    return new TokenBucket(Long.MAX_VALUE);
  }

  private static long checked(long bytesPerSecond) {
    if (bytesPerSecond < 1) {
      throw new IllegalArgumentException("bad rate: bytesPerSecond=" + bytesPerSecond);
    }
    return bytesPerSecond;
  }

  /** Another rate from now on; what was taken until now was taken at the old one. */
  public synchronized void rate(long newBytesPerSecond, long nowNanos) {
    refill(nowNanos);
    // A debt made at a high rate is not paid at a low one.
    bytes = Math.max(bytes, (double) -checked(newBytesPerSecond));
    bytesPerSecond = newBytesPerSecond;
  }

  public synchronized long bytesPerSecond() {
    return bytesPerSecond;
  }

  /** Takes so many bytes, or none and says false: then again after {@link #waitNanos}. */
  public synchronized boolean take(long wanted, long nowNanos) {
    refill(nowNanos);
    if (bytes < 0) {
      return false;
    }
    bytes -= wanted;
    return true;
  }

  /** How long until something may be taken; 0: now. */
  public synchronized long waitNanos(long nowNanos) {
    refill(nowNanos);
    return bytes >= 0 ? 0 : 1 + (long) (-bytes / bytesPerSecond * SECOND);
  }

  private void refill(long nowNanos) {
    if (started) {
      long passed = Math.max(0, nowNanos - sinceNanos);
      bytes =
          Math.min(
              (double) bytesPerSecond / BURST_PARTS,
              bytes + (double) passed / SECOND * bytesPerSecond);
    }
    started = true;
    sinceNanos = nowNanos;
  }
}
