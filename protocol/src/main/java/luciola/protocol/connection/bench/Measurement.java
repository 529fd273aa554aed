package luciola.protocol.connection.bench;

import java.util.Locale;

/**
 * One figure of a bench.
 *
 * @param name what was measured
 * @param operations reads, or buffers of a stream
 * @param bytes payload bytes that arrived
 * @param nanos duration
 * @param cpuNanos CPU time of this process meanwhile, both ends if they are in it
 */
public record Measurement(String name, long operations, long bytes, long nanos, long cpuNanos) {
  /** Payload rate in 10^9 bytes per second. */
  public double gigabytesPerSecond() {
    return (double) bytes / nanos;
  }

  /** One line: rate, operations per second, CPU, and the ratio to a limit. */
  public String line(Measurement limit) {
    return String.format(
        Locale.ROOT,
        "%-32s %7.2f GB/s %10.0f op/s %7.1f us CPU/op %6.2f GB/CPU-s %5.2f of the stream",
        name,
        gigabytesPerSecond(),
        operations * 1e9 / nanos,
        cpuNanos / 1e3 / operations,
        (double) bytes / cpuNanos,
        gigabytesPerSecond() / limit.gigabytesPerSecond());
  }
}
