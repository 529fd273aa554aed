package luciola.storage.engine;

import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A lane with a daemon thread. */
final class PlatformLane implements EngineThreads.Lane {
  private static final Logger log = LoggerFactory.getLogger(PlatformLane.class);

  static final EngineThreads THREADS =
      new EngineThreads() {
        @Override
        public Lane lane(String name) {
          return new PlatformLane(name);
        }

        @Override
        public boolean oneThread() {
          return false;
        }
      };

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private final PriorityQueue<Later> later = new PriorityQueue<>();
  private final Thread thread;
  private boolean closing;

  private record Later(long atNanos, Runnable work) implements Comparable<Later> {
    @Override
    public int compareTo(Later other) {
      return Long.signum(atNanos - other.atNanos);
    }
  }

  private PlatformLane(String name) {
    thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  @Override
  public void execute(Runnable work) {
    lock.lock();
    try {
      if (closing) {
        throw new RejectedExecutionException("closed: lane=" + thread.getName());
      }
      waiting.add(work);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void executeAfter(long millis, Runnable work) {
    lock.lock();
    try {
      later.add(new Later(System.nanoTime() + millis * 1_000_000, work));
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    Runnable work = next();
    while (work != null) {
      try {
        work.run();
      } catch (RuntimeException e) {
        log.error("work failed lane={}", thread.getName(), e);
      }
      work = next();
    }
  }

  private @Nullable Runnable next() {
    lock.lock();
    try {
      while (true) {
        Later first = closing ? null : later.peek();
        long nanos = first == null ? Long.MAX_VALUE : first.atNanos() - System.nanoTime();
        // What is due goes first: a lane that always has something to do would never come to it.
        if (first != null && nanos <= 0) {
          later.remove();
          return first.work();
        }
        Runnable work = waiting.poll();
        if (work != null || closing) {
          return work;
        }
        var _ = changed.awaitNanos(nanos);
      }
    } catch (InterruptedException _) {
      log.warn("interrupted lane={}", thread.getName());
      return () -> {};
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
