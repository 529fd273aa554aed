package luciola.loader.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.loader.slot.SlotPool.Loan;
import org.junit.jupiter.api.Test;

class SlotPoolTest {

  @Test
  void lendsEverySlotOnceAndUnderANewNumberEachTime() throws InterruptedException {
    SlotPool pool = new SlotPool(3);
    Set<Integer> slots = new HashSet<>();
    Set<Long> sequences = new HashSet<>();
    for (int round = 0; round < 5; round++) {
      slots.clear();
      Loan[] loans = new Loan[3];
      for (int i = 0; i < 3; i++) {
        loans[i] = pool.take().orElseThrow();
        slots.add(loans[i].slot());
        assertTrue(sequences.add(loans[i].sequence()));
      }
      assertEquals(Set.of(0, 1, 2), slots);
      assertEquals(0, pool.freeSlots());
      for (Loan loan : loans) {
        assertTrue(pool.giveBack(loan.slot(), loan.sequence()));
      }
    }
  }

  @Test
  void takesASlotBackOnlyFromTheLoanItIsIn() throws InterruptedException {
    SlotPool pool = new SlotPool(1);
    Loan first = pool.take().orElseThrow();
    assertFalse(pool.giveBack(first.slot(), first.sequence() + 1));
    assertFalse(pool.giveBack(7, first.sequence()));
    assertFalse(pool.giveBack(-1, first.sequence()));
    assertTrue(pool.giveBack(first.slot(), first.sequence()));
    assertFalse(pool.giveBack(first.slot(), first.sequence()), "given back twice");
    assertFalse(pool.giveBack(first.slot(), 0));
    Loan second = pool.take().orElseThrow();
    assertFalse(pool.giveBack(second.slot(), first.sequence()), "a late return of the first loan");
    assertEquals(0, pool.freeSlots());
  }

  @Test
  void closingEndsAWaitingTake() throws Exception {
    SlotPool pool = new SlotPool(1);
    assertTrue(pool.take().isPresent());
    CompletableFuture<Optional<Loan>> waiting = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            waiting.complete(pool.take());
          } catch (InterruptedException e) {
            waiting.completeExceptionally(e);
          }
        });
    pool.close();
    assertEquals(Optional.empty(), waiting.get(30, TimeUnit.SECONDS));
  }

  @Test
  void neverLendsASlotToTwoThreads() throws InterruptedException {
    SlotPool pool = new SlotPool(4);
    Set<Integer> held = ConcurrentHashMap.newKeySet();
    AtomicInteger clashes = new AtomicInteger();
    Thread[] threads = new Thread[8];
    for (int t = 0; t < threads.length; t++) {
      threads[t] =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < 2000; i++) {
                    Loan loan = pool.take().orElseThrow();
                    if (!held.add(loan.slot())) {
                      clashes.incrementAndGet();
                    }
                    held.remove(loan.slot());
                    pool.giveBack(loan.slot(), loan.sequence());
                  }
                } catch (InterruptedException e) {
                  clashes.addAndGet(1000);
                }
              });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, clashes.get());
    assertEquals(4, pool.freeSlots());
  }
}
