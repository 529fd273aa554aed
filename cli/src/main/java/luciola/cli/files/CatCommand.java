package luciola.cli.files;

import java.io.IOException;
import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.transfer.Print;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "cat", description = "Writes files to standard output, one after the other.")
public final class CatCommand extends FileCommand {
  @Parameters(arity = "1..*", paramLabel = "PATH", description = "Files.")
  private List<String> paths = List.of();

  public CatCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    paths = paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) throws IOException, InterruptedException {
    for (String path : paths) {
      Print.file(fs, path, invocation().out());
    }
    return ExitCode.DONE;
  }
}
