package luciola.storage.server;

import java.time.Duration;

/**
 * How often a target whose disk failed is tried again by itself.
 *
 * @param firstPause after the failure; 10 ms …; default 5 s. Each failure after it doubles the
 *     pause
 * @param longestPause {@code firstPause} …; default 5 min. A target that holds for so long counts
 *     as well again
 * @param triesMax without one that holds, 0 … 1,000,000; default 1,000. Then only an operator has
 *     it tried
 */
public record ReopenSettings(Duration firstPause, Duration longestPause, int triesMax) {
  /** Every default. */
  public static final ReopenSettings DEFAULTS =
      new ReopenSettings(Duration.ofSeconds(5), Duration.ofMinutes(5), 1000);

  public ReopenSettings {
    if (firstPause.toMillis() < 10
        || longestPause.compareTo(firstPause) < 0
        || triesMax < 0
        || triesMax > 1_000_000) {
      throw new IllegalArgumentException(
          "bad storage-server setting: reopen.firstPause="
              + firstPause
              + " reopen.longestPause="
              + longestPause
              + " reopen.triesMax="
              + triesMax);
    }
  }

  /** The pause after so many failures in a row, 1 or more. */
  Duration pause(int failures) {
    Duration pause = firstPause.multipliedBy(1L << Math.min(failures - 1, 30));
    return pause.compareTo(longestPause) < 0 ? pause : longestPause;
  }
}
