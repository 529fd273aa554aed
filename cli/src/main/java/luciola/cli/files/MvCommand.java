package luciola.cli.files;

import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "mv",
    description = {
      "Renames, atomically: what reads the old or the new name sees all of it or nothing.",
      "Into TARGET if that is a directory, else to TARGET itself."
    })
public final class MvCommand extends FileCommand {
  @Parameters(arity = "2..*", paramLabel = "SOURCE... TARGET", description = "Paths.")
  private List<String> paths = List.of();

  @Option(
      names = {"-n", "--no-clobber"},
      description = "Fail if the new name is taken.")
  private boolean noClobber;

  public MvCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.stream().map(RemotePath::of).toList();
    if (paths.subList(0, paths.size() - 1).contains("/")) {
      throw CommandFailure.wrongUse("the root cannot be moved");
    }
  }

  @Override
  int run(LuciolaFileSystem fs) {
    List<String> sources = paths.subList(0, paths.size() - 1);
    for (String source : sources) {
      String target =
          RemotePath.destination(fs, RemotePath.name(source), paths.getLast(), sources.size() > 1);
      if (noClobber) {
        fs.renameNoReplace(source, target);
      } else {
        fs.rename(source, target);
      }
    }
    return ExitCode.DONE;
  }
}
