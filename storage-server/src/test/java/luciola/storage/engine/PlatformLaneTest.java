package luciola.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlatformLaneTest {
  private final EngineThreads.Lane lane = EngineThreads.platform().lane("lane");

  /** Gives itself to the lane again until it is told to end. */
  private final class Busy implements Runnable {
    final AtomicBoolean ended = new AtomicBoolean();

    @Override
    public void run() {
      if (!ended.get()) {
        lane.execute(this);
      }
    }
  }

  @Test
  void whatIsDueIsDoneThoughTheLaneIsNeverIdle() throws Exception {
    var busy = new Busy();
    lane.execute(busy);
    var done = new CompletableFuture<Boolean>();
    lane.executeAfter(1, () -> done.complete(true));
    assertTrue(done.get(10, TimeUnit.SECONDS));
    busy.ended.set(true);
    lane.close();
  }

  @Test
  void whatIsDueIsDoneThoughTheLaneHasNothingElse() throws Exception {
    var done = new CompletableFuture<Boolean>();
    lane.executeAfter(60_000, () -> done.complete(false));
    lane.executeAfter(1, () -> done.complete(true));
    assertTrue(done.get(10, TimeUnit.SECONDS));
    lane.close();
  }

  @Test
  void whatWaitsIsDoneInOrderBeforeItEndsAndWhatIsForLaterIsNot() {
    List<Integer> seen = new ArrayList<>();
    var later = new AtomicBoolean();
    for (int i = 0; i < 100; i++) {
      int number = i;
      lane.execute(() -> seen.add(number));
    }
    lane.executeAfter(60_000, () -> later.set(true));
    assertTimeoutPreemptively(Duration.ofSeconds(10), lane::close);
    assertEquals(IntStream.range(0, 100).boxed().toList(), seen);
    assertFalse(later.get());
    assertThrows(RejectedExecutionException.class, () -> lane.execute(() -> {}));
  }
}
