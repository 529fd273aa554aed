package luciola.cli.operate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.ErrorLine;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.client.LuciolaFileSystem;
import luciola.loader.checkpoint.Checkpoint;
import luciola.loader.checkpoint.CheckpointReader;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code luciola checkpoint}. */
@Command(name = "checkpoint", description = "Checkpoints of training runs.")
public final class CheckpointCommand implements Runnable {
  @CommandLine.Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation, Connector connector) {
    return new CommandLine(new CheckpointCommand())
        .addSubcommand(new Ls(invocation, connector))
        .addSubcommand(new Verify(invocation, connector));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "which? checkpoint ls or checkpoint verify");
    }
  }

  /** Works on the checkpoints of one run. */
  abstract static class OnRun implements Callable<Integer> {
    private final Invocation invocation;
    private final Connector connector;

    @Mixin private final ClusterOption cluster = new ClusterOption();

    @Parameters(
        index = "0",
        paramLabel = "PATH",
        description = "The directory of a run's checkpoints.")
    private String path = "";

    @Option(names = "--json", description = "One JSON object a line.")
    private boolean json;

    OnRun(Invocation invocation, Connector connector) {
      this.invocation = invocation;
      this.connector = connector;
    }

    abstract int run(CheckpointReader reader, List<Long> steps);

    @Override
    public final Integer call() {
      if (!path.startsWith("/")) {
        throw CommandFailure.wrongUse(
            "paths in Luciola are absolute: did you mean /" + path + " ?");
      }
      try (LuciolaFileSystem fs = cluster.connect(connector, invocation)) {
        fs.stat(path);
        var reader = new CheckpointReader(fs, path);
        return run(reader, reader.steps());
      }
    }

    String path() {
      return path;
    }

    Invocation invocation() {
      return invocation;
    }

    boolean json() {
      return json;
    }
  }

  @Command(name = "ls", description = "Lists the committed checkpoints of a run.")
  static final class Ls extends OnRun {
    Ls(Invocation invocation, Connector connector) {
      super(invocation, connector);
    }

    private record Line(long step, String path, long bytes, int files) {}

    @Override
    int run(CheckpointReader reader, List<Long> steps) {
      var table = new Table("step", "size", "bytes", "files", "path");
      for (long step : steps) {
        Checkpoint checkpoint = reader.open(step);
        var line =
            new Line(
                step,
                checkpoint.path(),
                checkpoint.manifest().bytes(),
                checkpoint.manifest().files().size());
        if (json()) {
          Json.print(invocation().out(), line);
        }
        table.row(line.step(), Units.bytes(line.bytes()), line.bytes(), line.files(), line.path());
      }
      if (!json()) {
        table.print(invocation().out());
      }
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "verify",
      description = "Reads checkpoints and compares every byte with the manifest's checksums.")
  static final class Verify extends OnRun {
    @Option(
        names = "--step",
        paramLabel = "N",
        description = "Only this one; may be given several times.")
    private List<Long> chosen = List.of();

    Verify(Invocation invocation, Connector connector) {
      super(invocation, connector);
    }

    private record Verdict(long step, String path, long bytes, boolean whole, String fault) {}

    @Override
    int run(CheckpointReader reader, List<Long> steps) {
      List<Long> wanted = chosen.isEmpty() ? steps : chosen;
      if (wanted.isEmpty()) {
        throw CommandFailure.failed("no committed checkpoint in " + path());
      }
      List<Verdict> broken = new ArrayList<>();
      for (long step : wanted) {
        Verdict line = verify(reader, step);
        if (!line.whole()) {
          broken.add(line);
        }
        if (json()) {
          Json.print(invocation().out(), line);
        } else {
          invocation()
              .out()
              .println(
                  line.path()
                      + ": "
                      + (line.whole()
                          ? Units.bytes(line.bytes()) + " match their checksums"
                          : line.fault()));
        }
      }
      if (broken.isEmpty()) {
        return ExitCode.DONE;
      }
      return broken.size() < wanted.size() ? ExitCode.PARTIAL : ExitCode.FAILED;
    }

    private Verdict verify(CheckpointReader reader, long step) {
      try {
        Checkpoint checkpoint = reader.open(step);
        checkpoint.verify();
        return new Verdict(step, checkpoint.path(), checkpoint.manifest().bytes(), true, "");
      } catch (LuciolaException fault) {
        return new Verdict(step, path() + " step " + step, 0, false, ErrorLine.of(fault));
      }
    }
  }
}
