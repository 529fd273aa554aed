package luciola.cli.soak;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import luciola.cli.soak.load.Meter;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.cli.soak.load.Violation;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import org.jspecify.annotations.Nullable;

/**
 * What a soak has done and found.
 *
 * @param seconds of load
 * @param faults how often each kind was done
 * @param operations figures of the clients
 * @param errors what clients were told by kind and code before they tried again
 * @param silence most milliseconds without an answer by side and the fault of the time, where it
 *     was a second or more
 * @param staleAnswers what servers answered that were asked right after a pause or while cut off
 * @param verified what was read back at the end; null if it did not come to that
 * @param replicasCompared blocks that were read of each replica at the end
 * @param violations how many
 * @param evidence the first of them
 */
public record SoakReport(
    long seed,
    double seconds,
    Map<String, Integer> faults,
    List<Meter.Row> operations,
    Map<String, Long> errors,
    Map<String, Map<String, Long>> silence,
    Map<String, Integer> staleAnswers,
    VerifyingLoad.@Nullable Verified verified,
    long replicasCompared,
    long violations,
    List<String> evidence) {
  static List<String> texts(List<Violation> violations) {
    return violations.stream().map(Violation::toString).toList();
  }

  /** As tables. */
  public void print(PrintStream out) {
    var table =
        new Table(
            "operation", "count", "blocks", "bytes", "mean ms", "longest ms", "longest gap ms");
    for (Meter.Row row : operations) {
      table.row(
          row.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
          row.operations(),
          row.blocks(),
          Units.bytes(row.bytes()),
          format(row.meanMillis()),
          format(row.longestMillis()),
          format(row.longestGapMillis()));
    }
    table.print(out);
    out.println("faults: " + faults);
    out.println("longest without an answer, ms: " + silence);
    out.println("errors that clients were told and tried again: " + errors);
    out.println("asked for old data after a pause or cut: " + staleAnswers);
    if (verified != null) {
      out.println(
          "at the end: "
              + verified.files()
              + " files, "
              + verified.blocks()
              + " blocks, "
              + Units.bytes(verified.bytes())
              + " read back, "
              + verified.doubtful()
              + " with an unknown outcome; "
              + replicasCompared
              + " blocks compared on single replicas");
    }
    out.printf(Locale.ROOT, "%.0f s, seed %d: %d violations%n", seconds, seed, violations);
    evidence.forEach(out::println);
  }

  private static String format(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
