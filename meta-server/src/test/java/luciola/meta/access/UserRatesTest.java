package luciola.meta.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class UserRatesTest {
  private static final long SECOND = 1_000_000_000L;

  private long now = -5 * SECOND; // a monotonic clock begins anywhere

  private int admitted(UserRates rates, long user, int asked) {
    int admitted = 0;
    for (int i = 0; i < asked; i++) {
      admitted += rates.admit(user, now) ? 1 : 0;
    }
    return admitted;
  }

  @Test
  void aUserHasItsRateAndASecondOfIt() {
    var rates = new UserRates(100);
    assertEquals(100, admitted(rates, 1, 1000));
    assertFalse(rates.admit(1, now));
    now += SECOND / 2;
    assertEquals(50, admitted(rates, 1, 1000));
    now += 3600 * SECOND;
    assertEquals(100, admitted(rates, 1, 1000));
  }

  @Test
  void onesHasteIsNotAnothersDelay() {
    var rates = new UserRates(10);
    assertEquals(10, admitted(rates, 1, 1000));
    assertEquals(10, admitted(rates, 2, 1000));
  }

  @Test
  void smallStepsAddUp() {
    var rates = new UserRates(10);
    int all = admitted(rates, 1, 1000);
    for (int step = 0; step < 10_000; step++) {
      now += SECOND / 1000;
      all += admitted(rates, 1, 3);
    }
    assertTrue(all >= 109 && all <= 110, "admitted " + all);
  }

  @Test
  void aClockThatStepsBackGivesNothing() {
    var rates = new UserRates(10);
    assertEquals(10, admitted(rates, 1, 100));
    now -= 100 * SECOND;
    assertEquals(0, admitted(rates, 1, 100));
    now += 100 * SECOND;
    assertEquals(0, admitted(rates, 1, 100));
  }

  @Test
  void withoutARateEverythingIsAdmitted() {
    assertEquals(100_000, admitted(new UserRates(0), 1, 100_000));
    assertThrows(IllegalArgumentException.class, () -> new UserRates(-1));
  }
}
