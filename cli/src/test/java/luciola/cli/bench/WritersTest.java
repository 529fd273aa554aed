package luciola.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class WritersTest {
  @Test
  void addsUpWhatAllHaveDone() {
    assertEquals(21, Writers.together(Collections.nCopies(7, () -> 3)));
  }

  @Test
  void aFaultOfOneEndsThoseThatWouldGoOnForEver() {
    var never = new CountDownLatch(1);
    var waiting = new CountDownLatch(2);
    Writers.Job waits =
        () -> {
          waiting.countDown();
          never.await();
          return 1;
        };
    LuciolaException fault =
        assertThrows(
            LuciolaException.class,
            () ->
                Writers.together(
                    Thread.ofVirtual().factory(),
                    List.of(
                        waits,
                        waits,
                        () -> {
                          waiting.await();
                          throw new LuciolaException(ErrorCode.NO_SPACE, "no room");
                        })));
    assertEquals(ErrorCode.NO_SPACE, fault.code(), "not that the others were interrupted");
  }
}
