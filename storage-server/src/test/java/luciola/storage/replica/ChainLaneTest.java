package luciola.storage.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ChainLaneTest {
  private final ArrayDeque<Runnable> owned = new ArrayDeque<>();
  private final ChainLane lane = new ChainLane(owned::add);
  private final List<String> ran = new ArrayList<>();

  @Test
  void lightWorkRunsAtOnceWhereNothingElseIsUnderWay() {
    lane.executeHere(() -> ran.add("light"));
    assertEquals(List.of("light"), ran);
    assertTrue(owned.isEmpty());
  }

  @Test
  void lightWorkWaitsBehindWhatWasBroughtBefore() {
    lane.execute(() -> ran.add("heavy"));
    lane.executeHere(() -> ran.add("light"));
    assertEquals(List.of(), ran);
    owned.remove().run();
    assertEquals(List.of("heavy", "light"), ran);
    assertTrue(owned.isEmpty());
  }

  @Test
  void workBroughtByWorkRunsAfterIt() {
    lane.executeHere(() -> {
      lane.executeHere(() -> ran.add("inner"));
      ran.add("outer");
    });
    assertEquals(List.of("outer"), ran);
    owned.remove().run();
    assertEquals(List.of("outer", "inner"), ran);
    lane.executeHere(() -> ran.add("next"));
    assertEquals(List.of("outer", "inner", "next"), ran);
  }

  @Test
  void aLongQueueLeavesTheOwnerToOthersInBetween() {
    for (int i = 0; i < 100; i++) {
      lane.execute(() -> ran.add("piece"));
    }
    owned.remove().run();
    assertTrue(ran.size() < 100, "ran=" + ran.size());
    while (!owned.isEmpty()) {
      owned.remove().run();
    }
    assertEquals(100, ran.size());
  }

  @Test
  void workThatThrowsStopsNothingElse() {
    assertThrows(
        AssertionError.class,
        () ->
            lane.executeHere(() -> {
              throw new AssertionError("broken");
            }));
    lane.executeHere(() -> ran.add("next"));
    assertEquals(List.of("next"), ran);
  }

  @Test
  void aStoppedOwnerRefuses() {
    var owner = Executors.newSingleThreadExecutor();
    var stopped = new ChainLane(owner);
    owner.shutdownNow();
    assertThrows(RejectedExecutionException.class, () -> stopped.execute(() -> ran.add("never")));
    assertThrows(RejectedExecutionException.class, () -> stopped.execute(() -> ran.add("never")));
    assertEquals(List.of(), ran);
  }

  @Test
  void manyThreadsRunOnePieceAtATimeAndKeepTheirOrder() throws InterruptedException {
    int threads = 4;
    int each = 20_000;
    try (var owner = Executors.newSingleThreadExecutor()) {
      var shared = new ChainLane(owner);
      var inside = new AtomicBoolean();
      var overlaps = new AtomicInteger();
      int[] last = new int[threads];
      var left = new CountDownLatch(threads * each);
      var outOfOrder = new AtomicInteger();
      List<Thread> all = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        int me = thread;
        all.add(
            Thread.ofPlatform()
                .start(() -> {
                  for (int i = 1; i <= each; i++) {
                    int number = i;
                    Runnable piece =
                        () -> {
                          if (inside.getAndSet(true)) {
                            overlaps.incrementAndGet();
                          }
                          // Not guarded by anything but the lane.
                          if (last[me] != number - 1) {
                            outOfOrder.incrementAndGet();
                          }
                          last[me] = number;
                          inside.set(false);
                          left.countDown();
                        };
                    if (i % 3 == 0) {
                      shared.execute(piece);
                    } else {
                      shared.executeHere(piece);
                    }
                  }
                }));
      }
      for (Thread thread : all) {
        thread.join();
      }
      assertTrue(left.await(60, TimeUnit.SECONDS), "left=" + left.getCount());
      assertEquals(0, overlaps.get());
      assertEquals(0, outOfOrder.get());
      assertFalse(inside.get());
      assertEquals(each, last[0]);
    }
  }
}
