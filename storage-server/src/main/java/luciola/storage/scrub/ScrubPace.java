package luciola.storage.scrub;

/**
 * How fast a pass goes: fast enough to end within the period with a fifth to spare, never faster
 * than the bandwidth, and not slower than a sixteenth of it, so that a small target is done early.
 *
 * @param bytesPerSecond most bandwidth, 1 or more
 * @param periodNanos within which a pass should end, 1 or more
 */
record ScrubPace(long bytesPerSecond, long periodNanos) {
  private static final double SECOND = 1e9;
  private static final double SPARE = 1.25;
  private static final int SLOWEST_PART = 16;

  ScrubPace {
    if (bytesPerSecond < 1 || periodNanos < 1) {
      throw new IllegalArgumentException(
          "bad pace: bytesPerSecond=" + bytesPerSecond + " periodNanos=" + periodNanos);
    }
  }

  /** Bytes in a second for a pass over so many bytes. */
  double rate(long totalBytes) {
    double needed = totalBytes * SPARE * SECOND / periodNanos;
    double most = (double) bytesPerSecond;
    return Math.clamp(needed, Math.max(1.0, most / SLOWEST_PART), most);
  }

  /** Time that reading so many bytes of a pass over {@code totalBytes} has to take. */
  long nanosFor(long bytes, long totalBytes) {
    return (long) (bytes * SECOND / rate(totalBytes));
  }

  /** Whether the bandwidth is too little for a pass over so many bytes within the period. */
  boolean late(long totalBytes) {
    return totalBytes * SECOND / bytesPerSecond > periodNanos;
  }
}
