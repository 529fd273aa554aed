package luciola.protocol.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class CallLedgerTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(20);

  private final CallLedger ledger = new CallLedger();

  @Test
  void acknowledgesUpToTheFirstThatIsUnderWay() throws InterruptedException {
    assertEquals(0, ledger.acknowledged());
    long first = ledger.begin(LONG);
    long second = ledger.begin(LONG);
    ledger.end(second);
    assertEquals(first - 1, ledger.acknowledged());
    ledger.end(first);
    assertEquals(second, ledger.acknowledged());
  }

  @Test
  void beginsNoCallThatWouldHaveTheReplyOfOneUnderWayForgotten() throws Exception {
    long slow = ledger.begin(LONG);
    long newest = slow;
    while (newest < slow + CallLedger.REMEMBERED - 1) {
      newest = ledger.begin(LONG);
      ledger.end(newest);
    }
    LuciolaException refused = assertThrows(LuciolaException.class, () -> ledger.begin(1));
    assertEquals(ErrorCode.OVERLOADED, refused.code());
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var waiting =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return ledger.begin(LONG);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              },
              threads);
      ledger.end(slow);
      assertEquals(newest + 1, waiting.get());
    }
  }
}
