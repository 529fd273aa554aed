package luciola.cli.bench;

import java.io.PrintStream;
import java.util.Locale;
import luciola.cli.terminal.Invocation;

/** Prints figures as they come, as a table or as JSON. */
final class Report {
  private final PrintStream out;
  private final boolean json;
  private boolean begun;

  Report(Invocation invocation, boolean json) {
    this.out = invocation.out();
    this.json = json;
  }

  void add(Figure figure) {
    if (json) {
      out.println(figure.json());
    } else {
      if (!begun) {
        out.println(line(figure.limits()));
        out.println(Figure.header());
        out.println(Figure.units());
      }
      out.println(figure.line());
    }
    begun = true;
    out.flush();
  }

  /** What the machine did by itself. */
  static String line(MachineLimits limits) {
    return String.format(
        Locale.ROOT,
        "machine: loopback stream %.3f GB/s, disk write %.3f GB/s, flush of 4 KiB %.0f us,"
            + " bare chain of 3 %.0f us, CRC32C %.1f GB/s",
        limits.loopback() / 1e9,
        limits.disk().writeBytesPerSecond() / 1e9,
        limits.disk().flushSeconds() * 1e6,
        limits.chainSeconds() * 1e6,
        limits.crcBytesPerSecond() / 1e9);
  }
}
