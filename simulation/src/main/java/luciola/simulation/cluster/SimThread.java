package luciola.simulation.cluster;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import luciola.simulation.world.SimProcess;
import org.jspecify.annotations.Nullable;

/** A thread of a simulated process: what it is given happens in order, as events of the world. */
final class SimThread extends AbstractExecutorService implements ScheduledExecutorService {
  private final SimProcess process;

  SimThread(SimProcess process) {
    this.process = process;
  }

  @Override
  public void execute(Runnable command) {
    process.later(0, command);
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    var timer =
        new Timer<@Nullable Object>(() -> {
          command.run();
          return null;
        });
    process.later(unit.toNanos(delay), timer);
    return timer;
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    var timer = new Timer<@Nullable Object>(() -> null);
    process.later(unit.toNanos(initialDelay), () -> repeat(command, unit.toNanos(delay), timer));
    return timer;
  }

  private void repeat(Runnable command, long nanos, Timer<?> timer) {
    if (!timer.isCancelled()) {
      command.run();
      process.later(nanos, () -> repeat(command, nanos, timer));
    }
  }

  @Override
  public <V extends @Nullable Object> ScheduledFuture<V> schedule(
      Callable<V> callable, long delay, TimeUnit unit) {
    var timer = new Timer<V>(callable);
    process.later(unit.toNanos(delay), timer);
    return timer;
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return scheduleWithFixedDelay(command, initialDelay, period, unit);
  }

  @Override
  public void shutdown() {}

  @Override
  public List<Runnable> shutdownNow() {
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return false;
  }

  @Override
  public boolean isTerminated() {
    return false;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return true;
  }

  /** Something to be done once. */
  private static final class Timer<V extends @Nullable Object> extends FutureTask<V>
      implements ScheduledFuture<V> {
    Timer(Callable<V> callable) {
      super(callable);
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return 0;
    }

    @Override
    public int compareTo(Delayed other) {
      return 0;
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }
}
