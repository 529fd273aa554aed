package luciola.storage.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;

/** All lanes on the caller's thread: work waits until a step does it, chosen by chance. */
final class SteppedThreads implements EngineThreads {
  private final List<SteppedLane> lanes = new ArrayList<>();
  private final Random random;

  SteppedThreads(long seed) {
    random = new Random(seed);
  }

  @Override
  public Lane lane(String name) {
    var lane = new SteppedLane();
    lanes.add(lane);
    return lane;
  }

  @Override
  public boolean oneThread() {
    return true;
  }

  /** Does one piece of work of some lane; false if there is none. */
  boolean step() {
    var busy = lanes.stream().filter(lane -> !lane.waiting.isEmpty()).toList();
    if (busy.isEmpty()) {
      return false;
    }
    busy.get(random.nextInt(busy.size())).waiting.remove().run();
    return true;
  }

  void runAll() {
    while (step()) {
      // The step is all there is to do.
    }
  }

  private static final class SteppedLane implements Lane {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean closed;

    @Override
    public void execute(Runnable work) {
      if (closed) {
        throw new RejectedExecutionException("closed");
      }
      waiting.add(work);
    }

    @Override
    public void executeAfter(long millis, Runnable work) {
      waiting.add(work);
    }

    @Override
    public void close() {
      closed = true;
      while (!waiting.isEmpty()) {
        waiting.remove().run();
      }
    }
  }
}
