package luciola.simulation.cluster;

import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.engine.EngineThreads;

/** An engine's lanes on the simulation's one thread: each piece of work takes a while. */
final class SimLanes implements EngineThreads {
  private static final long MICRO = 1_000;
  private static final long MILLI = 1_000_000;

  private final World world;
  private final SimProcess process;
  private final boolean slow;

  SimLanes(World world, SimProcess process, boolean slow) {
    this.world = world;
    this.process = process;
    this.slow = slow;
  }

  @Override
  public Lane lane(String name) {
    return new SimLane();
  }

  @Override
  public boolean oneThread() {
    return true;
  }

  private long delayNanos() {
    long usual = world.between(20 * MICRO, slow ? 8_000 * MICRO : 700 * MICRO);
    return world.chance(0.03) ? world.between(usual, 30_000 * MICRO) : usual;
  }

  private final class SimLane implements Lane {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean busy;
    private boolean closed;

    @Override
    public void execute(Runnable work) {
      if (closed) {
        throw new RejectedExecutionException("closed");
      }
      waiting.add(work);
      next();
    }

    private void next() {
      if (!busy && !waiting.isEmpty()) {
        busy = true;
        process.later(
            delayNanos(),
            () -> {
              busy = false;
              Runnable work = waiting.poll();
              if (work != null && !closed) {
                work.run();
              }
              next();
            });
      }
    }

    @Override
    public void executeAfter(long millis, Runnable work) {
      process.later(
          millis * MILLI,
          () -> {
            if (!closed) {
              work.run();
            }
          });
    }

    /** Its process is dead: what waits is not done. */
    @Override
    public void close() {
      closed = true;
      waiting.clear();
    }
  }
}
