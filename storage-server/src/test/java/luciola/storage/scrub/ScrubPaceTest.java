package luciola.storage.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ScrubPaceTest {
  private static final long MIB = 1 << 20;

  @Test
  void aPassEndsWithinItsPeriodWithAFifthToSpare() {
    var pace = new ScrubPace(64 * MIB, Duration.ofDays(7).toNanos());
    long total = 10L << 40;
    double days = total / pace.rate(total) / 86_400;
    assertEquals(5.6, days, 0.01);
  }

  @Test
  void theBandwidthIsNeverExceededAndTooMuchDataIsTold() {
    var pace = new ScrubPace(64 * MIB, Duration.ofDays(7).toNanos());
    assertEquals(64.0 * MIB, pace.rate(1L << 50));
    assertTrue(pace.late(1L << 50));
    assertFalse(pace.late(1L << 40));
  }

  @Test
  void aSmallTargetIsDoneEarly() {
    var pace = new ScrubPace(64 * MIB, Duration.ofDays(7).toNanos());
    assertEquals(4.0 * MIB, pace.rate(MIB));
    assertEquals(250_000_000L, pace.nanosFor(MIB, MIB));
  }
}
