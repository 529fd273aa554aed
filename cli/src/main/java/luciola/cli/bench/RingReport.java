package luciola.cli.bench;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;

/** Prints what the ways to the same files did, beside each other. */
final class RingReport {
  private final PrintStream out;
  private final boolean json;
  private boolean begun;

  RingReport(PrintStream out, boolean json) {
    this.out = out;
    this.json = json;
  }

  /** How files are reached. */
  enum Way {
    API,
    MOUNT,
    RING;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  void add(BenchCase of, Map<Way, Tally> measured) {
    if (json) {
      out.println(object(of, measured));
    } else {
      if (!begun) {
        out.printf(
            "%-30s %27s %17s %26s %41s%n%-30s %8s %9s %8s %8s %8s %8s %8s %8s %13s %13s %13s%n",
            "figure",
            "operations per second",
            "to API",
            "p50, us",
            "CPU of an operation, client + servers, us",
            "",
            "API",
            "mount",
            "ring",
            "mount",
            "ring",
            "API",
            "mount",
            "ring",
            "API",
            "mount",
            "ring");
      }
      out.println(line(of, measured));
    }
    begun = true;
    out.flush();
  }

  private interface Value {
    String of(Tally tally);
  }

  private static String cell(Map<Way, Tally> measured, Way way, Value value) {
    Tally tally = measured.get(way);
    return tally == null ? "-" : value.of(tally);
  }

  private static String line(BenchCase of, Map<Way, Tally> measured) {
    Value rate = each -> String.format(Locale.ROOT, "%.0f", each.perSecond());
    Tally api = measured.getOrDefault(Way.API, new Tally());
    Value ratio = each -> String.format(Locale.ROOT, "%.2f", each.perSecond() / api.perSecond());
    Value median = each -> String.format(Locale.ROOT, "%.0f", each.latencies().seconds(0.5) * 1e6);
    Value cpu =
        each ->
            String.format(
                Locale.ROOT, "%.0f + %.0f", each.clientSeconds() * 1e6, each.serverSeconds() * 1e6);
    return String.format(
        Locale.ROOT,
        "%-30s %8s %9s %8s %8s %8s %8s %8s %8s %13s %13s %13s",
        of.label(),
        cell(measured, Way.API, rate),
        cell(measured, Way.MOUNT, rate),
        cell(measured, Way.RING, rate),
        cell(measured, Way.MOUNT, ratio),
        cell(measured, Way.RING, ratio),
        cell(measured, Way.API, median),
        cell(measured, Way.MOUNT, median),
        cell(measured, Way.RING, median),
        cell(measured, Way.API, cpu),
        cell(measured, Way.MOUNT, cpu),
        cell(measured, Way.RING, cpu));
  }

  private static String object(BenchCase of, Map<Way, Tally> measured) {
    var line = new StringBuilder();
    line.append(
        String.format(
            Locale.ROOT,
            "{\"name\":\"ring.%s\",\"work\":\"%s\",\"pattern\":\"%s\",\"bytes\":%d,\"depth\":%d,"
                + "\"replicas\":%d",
            of.label(),
            of.work().label(),
            of.pattern().label(),
            of.bytes(),
            of.depth(),
            of.replicas()));
    measured.forEach((way, tally) ->
        line.append(
            String.format(
                Locale.ROOT,
                ",\"%s\":{\"operations_per_s\":%.6g,\"bytes_per_s\":%.6g,\"p50_s\":%.4g,"
                    + "\"p99_s\":%.4g,\"client_cpu_s_per_operation\":%.4g,"
                    + "\"server_cpu_s_per_operation\":%.4g}",
                way.label(),
                tally.perSecond(),
                tally.perSecond() * of.bytes(),
                tally.latencies().seconds(0.5),
                tally.latencies().seconds(0.99),
                tally.clientSeconds(),
                tally.serverSeconds())));
    return line.append('}').toString();
  }
}
