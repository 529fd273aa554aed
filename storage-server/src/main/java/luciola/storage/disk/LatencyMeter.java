package luciola.storage.disk;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long one kind of operation took lately. Counts in classes of a power of two; old ones fade
 * out: all counts are halved whenever {@link #WINDOW} came together.
 */
public final class LatencyMeter {
  /** Operations after which what was before counts half. */
  public static final int WINDOW = 1024;

  private static final int CLASSES = 40;
  private static final int EWMA_SHIFT = 4;

  private final AtomicLongArray counts = new AtomicLongArray(CLASSES);
  private final AtomicLong inWindow = new AtomicLong();
  private final AtomicLong total = new AtomicLong();
  private final AtomicLong mean = new AtomicLong();

  /** One operation took so long. */
  public void took(long nanos) {
    long known = Math.max(0, nanos);
    counts.incrementAndGet(Math.min(CLASSES - 1, Long.SIZE - Long.numberOfLeadingZeros(known)));
    mean.updateAndGet(old -> old == 0 ? known : old + ((known - old) >> EWMA_SHIFT));
    total.incrementAndGet();
    if (inWindow.incrementAndGet() == WINDOW) {
      fade();
    }
  }

  private void fade() {
    for (int i = 0; i < CLASSES; i++) {
      counts.updateAndGet(i, count -> count / 2);
    }
    inWindow.set(0);
  }

  /** What is known now. */
  public Latency latency() {
    return new Latency(total.get(), mean.get(), quantile(0.5), quantile(0.99));
  }

  /** Upper bound of the class that the quantile lies in. */
  private long quantile(double share) {
    long sum = 0;
    for (int i = 0; i < CLASSES; i++) {
      sum += counts.get(i);
    }
    long rest = (long) Math.ceil(sum * share);
    for (int i = 0; i < CLASSES; i++) {
      rest -= counts.get(i);
      if (rest <= 0 && sum > 0) {
        return 1L << i;
      }
    }
    return 0;
  }

  /**
   * How long an operation takes.
   *
   * @param count operations since the start
   * @param meanNanos moving average over about the last sixteen; 0 if there was none
   * @param medianNanos half of the last ones took no longer, exact to a factor of two
   * @param p99Nanos 99 of 100 took no longer, exact to a factor of two
   */
  public record Latency(long count, long meanNanos, long medianNanos, long p99Nanos) {}
}
