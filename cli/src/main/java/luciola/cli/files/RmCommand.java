package luciola.cli.files;

import java.util.List;
import java.util.Optional;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "rm", description = "Removes files and links; with -r, whole trees.")
public final class RmCommand extends FileCommand {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "What to remove.")
  private List<String> paths = List.of();

  @Option(
      names = {"-r", "--recursive"},
      description = "Directories with everything in them.")
  private boolean recursive;

  @Option(
      names = {"-f", "--force"},
      description = "What is not there is fine.")
  private boolean force;

  public RmCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.stream().map(RemotePath::of).toList();
    if (paths.contains("/")) {
      throw CommandFailure.wrongUse("the root cannot be removed; name what is in it");
    }
  }

  @Override
  int run(LuciolaFileSystem fs) {
    for (String path : paths) {
      remove(fs, path);
    }
    return ExitCode.DONE;
  }

  private void remove(LuciolaFileSystem fs, String path) {
    Optional<FileStat> there = find(fs, path);
    if (there.isEmpty() && force) {
      return;
    }
    if (there.isPresent() && there.get().isDirectory()) {
      if (!recursive) {
        throw CommandFailure.failed(path + " is a directory: remove it with everything by rm -r");
      }
      fs.removeRecursively(path);
    } else {
      fs.remove(path);
    }
  }

  private static Optional<FileStat> find(LuciolaFileSystem fs, String path) {
    try {
      return Optional.of(fs.lstat(path));
    } catch (LuciolaException failure) {
      if (failure.code() == ErrorCode.NOT_FOUND) {
        return Optional.empty();
      }
      throw failure;
    }
  }
}
