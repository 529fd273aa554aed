package luciola.cli.bench;

import java.nio.file.Path;
import java.util.List;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Option;

/** What benches of small operations share: how many at a time, how long, where. */
final class OperationOptions {
  private static final int DEPTH_MAX = 1024;

  @Option(
      names = "--depth",
      split = ",",
      paramLabel = "N",
      description = "Operations under way; several separated by commas.")
  private List<Integer> depths = List.of();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "Time that counts of each figure (${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--warm-up",
      paramLabel = "S",
      defaultValue = "10",
      description = "Seconds before each figure (${DEFAULT-VALUE}).")
  private double warmUp;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where a cluster of its own keeps its data, and the disk is measured.")
  private Path directory = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  /** Those that were named, or else the usual ones. */
  List<Integer> depths(List<Integer> usual) {
    return depths.isEmpty() ? usual : depths;
  }

  long nanos() {
    return (long) (seconds * 1e9);
  }

  long warmUpNanos() {
    return (long) (warmUp * 1e9);
  }

  Path directory(Invocation invocation) {
    return invocation.resolve(directory);
  }

  boolean json() {
    return json;
  }

  void check() {
    if (depths.stream().anyMatch(depth -> depth < 1 || depth > DEPTH_MAX)
        || seconds <= 0
        || warmUp < 0) {
      throw CommandFailure.wrongUse(
          "--depth is 1 to " + DEPTH_MAX + ", --seconds more than 0, --warm-up not negative");
    }
  }
}
