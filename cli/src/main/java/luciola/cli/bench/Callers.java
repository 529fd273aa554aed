package luciola.cli.bench;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * Callers that each do one operation after the other, all at once, until time is over or enough
 * have begun.
 */
final class Callers {
  /** One operation. */
  interface Step {
    /** Says with how many it was done. */
    long run(SplittableRandom random) throws Exception;
  }

  private Callers() {}

  /**
   * Runs so many callers; when one fails the others end.
   *
   * @param nanos after this time none begins another
   * @param most operations that begin
   * @return how many were done
   */
  static long run(int callers, Step step, long nanos, long most, Latencies latencies) {
    long start = System.nanoTime();
    var begun = new AtomicLong();
    List<Writers.Job> jobs =
        IntStream.range(0, callers)
            .mapToObj(SplittableRandom::new)
            .<Writers.Job>map(random ->
                () -> {
                  long done = 0;
                  long now = System.nanoTime();
                  while (now - start < nanos && begun.getAndIncrement() < most) {
                    done += step.run(random);
                    long end = System.nanoTime();
                    latencies.add(end - now);
                    now = end;
                  }
                  return done;
                })
            .toList();
    return Writers.together(Thread.ofVirtual().factory(), jobs);
  }
}
