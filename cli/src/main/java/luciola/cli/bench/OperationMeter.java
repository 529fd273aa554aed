package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import luciola.cli.terminal.Invocation;

/** Measures operations beside the disk's own flush, and prints a line for each figure. */
final class OperationMeter {
  private static final long LIMIT_BYTES = 64L << 20;

  private final Invocation invocation;
  private final OperationOptions options;
  private final CpuMeter cpu;
  private boolean begun;

  OperationMeter(Invocation invocation, OperationOptions options, CpuMeter cpu) {
    this.invocation = invocation;
    this.options = options;
    this.cpu = cpu;
  }

  /** One figure: warms up, measures, prints. */
  void measure(String name, int depth, Callers.Step step) throws IOException {
    var _ = Callers.run(depth, step, options.warmUpNanos(), Long.MAX_VALUE, new Latencies());
    Path disk = options.directory(invocation);
    double flush = DiskLimit.measure(disk, LIMIT_BYTES).flushSeconds();
    var latencies = new Latencies();
    CpuMeter.Reading before = cpu.read();
    long start = System.nanoTime();
    long done = Callers.run(depth, step, options.nanos(), Long.MAX_VALUE, latencies);
    double took = (System.nanoTime() - start) / 1e9;
    print(new Measured(name, done / took, latencies, flush, cpu.read().minus(before), done));
  }

  private record Measured(
      String name,
      double perSecond,
      Latencies latencies,
      double flushSeconds,
      CpuMeter.Reading cpu,
      double operations) {}

  private void print(Measured of) {
    if (!options.json() && !begun) {
      invocation
          .out()
          .printf(
              "%-20s %12s %13s %13s %14s %22s%n",
              "figure", "per second", "p50", "p99", "flush of 4 KiB", "CPU us client+servers");
    }
    begun = true;
    String format =
        options.json()
            ? "{\"name\":\"%s\",\"per_s\":%.6g,\"p50_s\":%.4g,\"p99_s\":%.4g,"
                + "\"disk_flush_s\":%.4g,\"client_cpu_us\":%.4g,\"server_cpu_us\":%.4g}%n"
            : "%-20s %12.0f %10.0f us %10.0f us %11.0f us %13.0f + %.0f%n";
    double second = options.json() ? 1 : 1e6;
    invocation
        .out()
        .printf(
            Locale.ROOT,
            format,
            of.name(),
            of.perSecond(),
            of.latencies().seconds(0.5) * second,
            of.latencies().seconds(0.99) * second,
            of.flushSeconds() * second,
            of.cpu().client() / of.operations() * 1e6,
            of.cpu().servers() / of.operations() * 1e6);
    invocation.out().flush();
  }
}
