package luciola.cli.bench;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long requests took: counts in classes that are 1/16 of a power of two wide, so every quantile
 * is exact to about 6 %. Any thread adds.
 */
final class Latencies {
  private static final int SUB = 16;
  private static final int CLASSES = 64 * SUB;

  private final AtomicLongArray counts = new AtomicLongArray(CLASSES);

  void add(long nanos) {
    counts.incrementAndGet(classOf(Math.max(1, nanos)));
  }

  /** So many requests that took as long. */
  void add(long nanos, long requests) {
    counts.addAndGet(classOf(Math.max(1, nanos)), requests);
  }

  private static int classOf(long nanos) {
    int power = 63 - Long.numberOfLeadingZeros(nanos);
    int sub = power < 4 ? (int) (nanos << (4 - power)) & 15 : (int) (nanos >>> (power - 4)) & 15;
    return power * SUB + sub;
  }

  private static double middle(int number) {
    double low = Math.scalb(1.0, number / SUB);
    return low + low / SUB * (number % SUB + 0.5);
  }

  /** Requests added. */
  long count() {
    long sum = 0;
    for (int i = 0; i < CLASSES; i++) {
      sum += counts.get(i);
    }
    return sum;
  }

  /** Seconds within which that share of the requests was done; 0 if there were none. */
  double seconds(double share) {
    long left = (long) Math.ceil(count() * share);
    for (int i = 0; i < CLASSES && left > 0; i++) {
      left -= counts.get(i);
      if (left <= 0) {
        return middle(i) / 1e9;
      }
    }
    return 0;
  }
}
