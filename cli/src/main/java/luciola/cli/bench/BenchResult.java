package luciola.cli.bench;

import java.util.Locale;

/**
 * One measured figure.
 *
 * @param name {@code area.pattern.size.inflight.replication}
 * @param value in {@code unit}, larger is better unless the unit is a time
 * @param unit base unit: {@code B/s}, {@code 1/s}, {@code s}
 * @param limit what the machine itself reaches in the same run; 0 where there is none
 * @param limitName which limit that is; empty where there is none
 * @param cpuSecondsPerGib processor seconds of this process per GiB moved; 0 where not measured
 */
public record BenchResult(
    String name,
    double value,
    String unit,
    double limit,
    String limitName,
    double cpuSecondsPerGib) {

  /** Value divided by limit; 0 without a limit. */
  public double ratio() {
    return limit == 0 ? 0 : value / limit;
  }

  /** One JSON object on one line. */
  public String json() {
    return String.format(
        Locale.ROOT,
        "{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"limit\":%.6g,\"limit_name\":\"%s\","
            + "\"ratio\":%.3f,\"cpu_s_per_GiB\":%.3f}",
        name,
        value,
        unit,
        limit,
        limitName,
        ratio(),
        cpuSecondsPerGib);
  }

  /** One line of a table for people. */
  public String line() {
    String against =
        limit == 0
            ? ""
            : String.format(
                Locale.ROOT, "  %5.2f of %s (%s)", ratio(), limitName, human(limit, unit));
    String cpu =
        cpuSecondsPerGib == 0
            ? ""
            : String.format(Locale.ROOT, "  %.2f CPU s/GiB", cpuSecondsPerGib);
    return String.format(Locale.ROOT, "%-32s %14s%s%s", name, human(value, unit), against, cpu);
  }

  private static String human(double value, String unit) {
    return switch (unit) {
      case "B/s" -> String.format(Locale.ROOT, "%.3f GB/s", value / 1e9);
      case "s" -> String.format(Locale.ROOT, "%.0f us", value * 1e6);
      default -> String.format(Locale.ROOT, "%.0f %s", value, unit);
    };
  }
}
