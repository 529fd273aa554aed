package luciola.loader.model;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A few threads that share numbered tasks, the caller among them. Which thread takes which task is
 * left open: a task's result must not depend on it.
 */
final class WorkTeam implements AutoCloseable {
  /** One task. */
  interface Task {
    /**
     * Does it.
     *
     * @param task its number
     * @param worker number of the thread that runs it, for the thread's own scratch memory
     */
    void run(int task, int worker);
  }

  private final int threads;
  private final ExecutorService helpers;

  WorkTeam(int threads) {
    this.threads = threads;
    this.helpers =
        Executors.newFixedThreadPool(
            Math.max(1, threads - 1),
            Thread.ofPlatform().name("luciola-train-", 1).daemon().factory());
  }

  int threads() {
    return threads;
  }

  /** Runs tasks 0 … tasks − 1 and returns when all are done; the first failure is thrown. */
  void run(int tasks, Task task) {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    for (int worker = 1; worker < Math.min(threads, tasks); worker++) {
      int number = worker;
      running.add(helpers.submit(() -> drain(next, tasks, task, number)));
    }
    try {
      drain(next, tasks, task, 0);
    } finally {
      next.set(tasks);
      running.forEach(WorkTeam::await);
    }
  }

  private static void drain(AtomicInteger next, int tasks, Task task, int worker) {
    for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
      task.run(i, worker);
    }
  }

  /** Waits even when interrupted: the helpers use the caller's memory. */
  private static void await(Future<?> future) {
    boolean interrupted = false;
    while (true) {
      try {
        future.get();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException cause) {
          throw cause;
        }
        throw new IllegalStateException("training task failed", e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    helpers.shutdown();
  }
}
