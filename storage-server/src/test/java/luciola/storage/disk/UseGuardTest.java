package luciola.storage.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UseGuardTest {
  private final UseGuard guard = new UseGuard();

  @Test
  void closingWaitsForWhoIsInAndLetsNobodyElseIn() {
    assertTrue(guard.enter());
    assertTrue(guard.enter());
    CompletableFuture<Boolean> closing = CompletableFuture.supplyAsync(guard::close);
    while (guard.enter()) {
      guard.exit(); // Until the other thread has begun to close.
    }
    guard.exit();
    assertFalse(guard.enter());
    assertFalse(closing.isDone(), "one is still in");
    guard.exit();
    assertTrue(closing.join());
    assertFalse(guard.enter());
    assertFalse(guard.close(), "the second has nothing to do");
  }

  @Test
  void nobodyIsInsideOnceItIsClosedHoweverManyTry() {
    var closed = new AtomicBoolean();
    var late = new AtomicInteger();
    List<CompletableFuture<Long>> users = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      users.add(
          CompletableFuture.supplyAsync(() -> {
            long uses = 0;
            while (guard.enter()) {
              late.addAndGet(closed.get() ? 1 : 0);
              uses++;
              guard.exit();
            }
            return uses;
          }));
    }
    assertTrue(guard.close());
    closed.set(true);
    users.forEach(CompletableFuture::join);
    assertEquals(0, late.get());
  }
}
