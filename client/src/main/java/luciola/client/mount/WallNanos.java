package luciola.client.mount;

import java.time.Instant;

/** The wall clock, for times that programs see before the meta-server has set its own. */
final class WallNanos {
  private static final long SECOND = 1_000_000_000L;

  private WallNanos() {}

  static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * SECOND + now.getNano();
  }
}
