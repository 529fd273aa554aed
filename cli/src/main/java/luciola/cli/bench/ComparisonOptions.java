package luciola.cli.bench;

import java.util.ArrayList;
import java.util.List;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.terminal.CommandFailure;
import picocli.CommandLine.Option;

/** What benches share that put one load on several ways to the same files, in turns. */
final class ComparisonOptions {
  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "3",
      description = "Copies of each chunk in its own cluster, 1 to 3 (${DEFAULT-VALUE}).")
  private int replicas;

  @Option(
      names = "--work",
      split = ",",
      paramLabel = "WORK",
      description = "With --size and the like: read, write or both (read,write).")
  private List<String> works = List.of("read", "write");

  @Option(
      names = "--file-mib",
      paramLabel = "N",
      defaultValue = "512",
      description = "Size of what is read or written over and over (${DEFAULT-VALUE}).")
  private int fileMib;

  int replicas() {
    return replicas;
  }

  long fileBytes() {
    return (long) fileMib << 20;
  }

  /** The cases that the options name; none if they name none. */
  List<BenchCase> named(CaseOptions options) {
    if (fileMib < 64 || replicas < 1 || replicas > 3) {
      throw CommandFailure.wrongUse("--file-mib is at least 64, --replicas are 1 to 3");
    }
    if (!List.of("read", "write").containsAll(works)) {
      throw CommandFailure.wrongUse("--work is read, write or both");
    }
    List<BenchCase> named = new ArrayList<>();
    for (Work work : List.of(Work.READ, Work.WRITE)) {
      if (works.contains(work.label())) {
        named.addAll(options.cases(work, 1, replicas, List.of()));
      }
    }
    return named;
  }
}
