package luciola.cli.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Option;

/** The options that all benches share: which cases, how long, where. */
final class CaseOptions {
  @Option(
      names = "--size",
      split = ",",
      paramLabel = "SIZE",
      description = "Bytes of a range, 4KiB to 64MiB; several separated by commas.")
  private List<String> sizes = List.of();

  @Option(
      names = "--depth",
      split = ",",
      paramLabel = "N",
      description = "Requests in flight; several separated by commas.")
  private List<Integer> depths = List.of();

  @Option(
      names = "--pattern",
      split = ",",
      paramLabel = "PATTERN",
      description =
          "sequential, random or, for writes, stream and scattered; several separated by commas.")
  private List<String> patterns = List.of();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "3",
      description = "Time that counts of each figure (${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--warm-up",
      paramLabel = "S",
      defaultValue = "60",
      description =
          "At most so many seconds before each figure; it ends when the rate grows no more"
              + " (${DEFAULT-VALUE}).")
  private int warmUp;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "Where a cluster or engine of its own keeps its data, and the disk is measured; by"
              + " default the folder for temporary files.")
  private Path directory = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  boolean json() {
    return json;
  }

  Path directory(Invocation invocation) {
    return invocation.resolve(directory);
  }

  /** Time that counts. */
  long nanos() {
    return (long) (seconds * 1e9);
  }

  Meter meter(Invocation invocation, CpuMeter cpu) {
    return new Meter(directory(invocation), cpu, seconds, warmUp);
  }

  /** The cases that the options name, or else those given. */
  List<BenchCase> cases(Work work, int batch, int replicas, List<BenchCase> usual) {
    if (seconds <= 0 || warmUp < 0) {
      throw CommandFailure.wrongUse("--seconds is positive, --warm-up is not negative");
    }
    if (sizes.isEmpty() && depths.isEmpty() && patterns.isEmpty() && batch == 1) {
      return usual;
    }
    List<BenchCase> cases = new ArrayList<>();
    for (Pattern pattern : patterns.isEmpty() ? List.of(Pattern.SEQUENTIAL) : patterns()) {
      for (String size : sizes.isEmpty() ? List.of("4MiB") : sizes) {
        for (int depth : depths.isEmpty() ? List.of(4) : depths) {
          cases.add(named(work, pattern, size, depth, batch, replicas));
        }
      }
    }
    return cases;
  }

  private List<Pattern> patterns() {
    List<Pattern> found = new ArrayList<>();
    for (String name : patterns) {
      try {
        found.add(Pattern.valueOf(name.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException _) {
        throw CommandFailure.wrongUse(
            "--pattern is sequential, random, stream or scattered, not " + name);
      }
    }
    return found;
  }

  private static BenchCase named(
      Work work, Pattern pattern, String size, int depth, int batch, int replicas) {
    if (pattern.isOfWrites() && work != Work.WRITE) {
      throw CommandFailure.wrongUse("--pattern " + pattern.label() + " is for writes to a cluster");
    }
    try {
      return new BenchCase(work, pattern, bytes(size), depth, batch, replicas);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.wrongUse("bench: " + e.getMessage());
    }
  }

  static int bytes(String size) {
    String text = size.strip().toLowerCase(Locale.ROOT).replaceFirst("i?b$", "");
    int shift = text.endsWith("m") ? 20 : text.endsWith("k") ? 10 : 0;
    try {
      long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
      return Math.toIntExact(Math.multiplyExact(number, 1L << shift));
    } catch (NumberFormatException | ArithmeticException _) {
      throw CommandFailure.wrongUse("a size is a number of KiB or MiB like 4KiB, not " + size);
    }
  }
}
