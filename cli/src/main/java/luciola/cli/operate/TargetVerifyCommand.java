package luciola.cli.operate;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Progress;
import luciola.cli.terminal.Units;
import luciola.storage.engine.TargetVerify;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "verify",
    description = {
      "Checks the directory of a target whose server does not run: metadata against itself,",
      "every byte against its checksum. Reads only. Ends with 1 if anything is wrong."
    })
final class TargetVerifyCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "The target's directory.")
  private @Nullable Path directory;

  @Option(names = "--json", description = "The result as JSON.")
  private boolean json;

  TargetVerifyCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  private record Verified(
      String directory,
      long target,
      String cluster,
      long chunks,
      long versions,
      long blocks,
      long bytes,
      long neverDurable,
      long problemsFound,
      List<String> problems) {}

  @Override
  public Integer call() {
    Path at = invocation.resolve(Objects.requireNonNull(directory));
    TargetVerify.Report report = verified(at);
    if (json) {
      Json.print(
          invocation.out(),
          new Verified(
              at.toString(),
              report.target(),
              String.format(Locale.ROOT, "%016x", report.cluster()),
              report.chunks(),
              report.versions(),
              report.blocks(),
              report.bytes(),
              report.neverDurable(),
              report.found(),
              report.problems()));
    } else {
      print(report);
    }
    return report.found() == 0 ? ExitCode.DONE : ExitCode.FAILED;
  }

  private TargetVerify.Report verified(Path at) {
    try (var progress = new Progress(invocation, "verified")) {
      return TargetVerify.run(at, progress::moved);
    } catch (IOException failed) {
      throw CommandFailure.failed("cannot read " + at + ": " + failed.getMessage(), failed);
    }
  }

  private void print(TargetVerify.Report report) {
    report.problems().forEach(invocation.out()::println);
    if (report.found() > report.problems().size()) {
      invocation.out().println((report.found() - report.problems().size()) + " more");
    }
    invocation
        .out()
        .println(
            (report.target() == 0
                    ? "a target without a number: "
                    : "target " + report.target() + ": ")
                + Units.count(report.chunks(), "chunk")
                + ", "
                + Units.count(report.versions(), "version")
                + ", "
                + Units.count(report.blocks(), "block")
                + ", "
                + Units.bytes(report.bytes())
                + " good"
                + (report.neverDurable() == 0
                    ? ""
                    : ", " + report.neverDurable() + " pending versions that never became durable")
                + "; "
                + (report.found() == 0 ? "no problem" : Units.count(report.found(), "problem")));
  }
}
