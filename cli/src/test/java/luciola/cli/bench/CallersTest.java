package luciola.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class CallersTest {
  private static final long FOR_EVER = Long.MAX_VALUE;

  @Test
  void noMoreThanAskedBegin() {
    var latencies = new Latencies();
    assertEquals(3000, Callers.run(7, _ -> 3, FOR_EVER, 1000, latencies));
    assertEquals(1000, latencies.count());
  }

  @Test
  void theyEndWhenTimeIsOver() {
    var latencies = new Latencies();
    long done = Callers.run(2, _ -> 3, 10_000_000, FOR_EVER, latencies);
    assertEquals(3 * latencies.count(), done);
    assertEquals(0, Callers.run(2, _ -> 1, 0, FOR_EVER, new Latencies()));
  }
}
