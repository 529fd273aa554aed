package luciola.cli.files;

import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "mkdir", description = "Makes directories.")
public final class MkdirCommand extends FileCommand {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "Directories to make.")
  private List<String> paths = List.of();

  @Option(
      names = {"-p", "--parents"},
      description = "Make missing parents too; one that exists is fine.")
  private boolean parents;

  public MkdirCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) {
    for (String path : paths) {
      if (parents) {
        fs.mkdirs(path);
      } else {
        fs.mkdir(path);
      }
    }
    return ExitCode.DONE;
  }
}
