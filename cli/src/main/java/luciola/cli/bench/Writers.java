package luciola.cli.bench;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Runs blocking jobs side by side, on a thread each. */
final class Writers {
  private Writers() {}

  /** Returns how many operations it did. */
  @FunctionalInterface
  interface Job {
    long run() throws Exception;
  }

  /** Runs all of them, each on a thread of the platform; the sum of what they did. */
  static long together(List<Job> jobs) {
    return together(Thread.ofPlatform().name("bench-", 0).factory(), jobs);
  }

  /**
   * Runs all of them; the sum of what they did. When one fails the others are interrupted, and its
   * fault is raised.
   */
  static long together(ThreadFactory factory, List<Job> jobs) {
    try (var threads = Executors.newThreadPerTaskExecutor(factory)) {
      try {
        var ended = new ExecutorCompletionService<Long>(threads);
        jobs.forEach(job -> ended.submit(job::run));
        long sum = 0;
        for (int i = 0; i < jobs.size(); i++) {
          sum += ended.take().get();
        }
        return sum;
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw e.getCause() instanceof LuciolaException fault
            ? fault
            : new IllegalStateException("bench", e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        Thread.currentThread().interrupt();
        throw new LuciolaException(ErrorCode.CANCELLED, "bench: interrupted", e);
      }
    }
  }
}
