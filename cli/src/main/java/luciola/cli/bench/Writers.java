package luciola.cli.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  /** Runs all of them; the sum of what they did. */
  static long together(List<Job> jobs) {
    try (var threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().name("bench-", 0).factory())) {
      List<Future<Long>> running = new ArrayList<>();
      jobs.forEach(job -> running.add(threads.submit(job::run)));
      long sum = 0;
      for (Future<Long> each : running) {
        sum += each.get();
      }
      return sum;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LuciolaException fault
          ? fault
          : new IllegalStateException("bench", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LuciolaException(ErrorCode.CANCELLED, "bench: interrupted", e);
    }
  }
}
