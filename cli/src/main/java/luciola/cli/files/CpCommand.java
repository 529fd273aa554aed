package luciola.cli.files;

import java.io.IOException;
import java.util.List;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
import luciola.cli.transfer.CopyOptions;
import luciola.cli.transfer.TreeCopy;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "cp",
    description = {
      "Copies files and directories inside the cluster.",
      "Into TARGET if that is a directory, else to TARGET itself. See put and get for other copies."
    })
public final class CpCommand extends FileCommand {
  @Parameters(arity = "2..*", paramLabel = "SOURCE... TARGET", description = "Paths.")
  private List<String> paths = List.of();

  @Mixin private final CopyOptions options = new CopyOptions();

  public CpCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    options.check();
    paths = paths.stream().map(RemotePath::of).toList();
  }

  @Override
  int run(LuciolaFileSystem fs) throws IOException, InterruptedException {
    List<String> sources = paths.subList(0, paths.size() - 1);
    List<String> targets =
        sources.stream().map(source -> target(fs, source, sources.size() > 1)).toList();
    try (TreeCopy copy = TreeCopy.within(fs, invocation(), "cp", options)) {
      for (int i = 0; i < sources.size(); i++) {
        copy.add(sources.get(i), targets.get(i));
      }
      return copy.finish();
    }
  }

  private String target(LuciolaFileSystem fs, String source, boolean several) {
    String target = RemotePath.destination(fs, RemotePath.name(source), paths.getLast(), several);
    if (target.equals(source) || target.startsWith(source.equals("/") ? "/" : source + "/")) {
      throw CommandFailure.failed("cannot copy " + source + " into itself at " + target);
    }
    return target;
  }
}
