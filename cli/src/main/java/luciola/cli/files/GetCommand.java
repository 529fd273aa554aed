package luciola.cli.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    name = "get",
    description = {
      "Copies files and directories of the cluster to this machine.",
      "Into TARGET if that is a directory, else to TARGET itself. A file appears when it is whole."
    })
public final class GetCommand extends FileCommand {
  @Parameters(
      arity = "2..*",
      paramLabel = "SOURCE... TARGET",
      description = "Paths in the cluster, and where they go here.")
  private List<String> paths = List.of();

  @Mixin private final CopyOptions options = new CopyOptions();

  public GetCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  private List<String> sources() {
    return paths.subList(0, paths.size() - 1).stream().map(RemotePath::of).toList();
  }

  private Path target() {
    return invocation().resolve(Path.of(paths.getLast()));
  }

  @Override
  void checkArguments() {
    options.check();
    List<String> sources = sources();
    Path target = target();
    Path parent = target.getParent();
    if (sources.size() > 1 && !Files.isDirectory(target)) {
      throw CommandFailure.failed(
          "several sources need a directory to go to, and " + target + " is none");
    }
    if (!Files.isDirectory(target) && (parent == null || !Files.isDirectory(parent))) {
      throw CommandFailure.failed("no such directory: " + parent);
    }
  }

  @Override
  int run(LuciolaFileSystem fs) throws IOException, InterruptedException {
    Path target = target();
    boolean into = Files.isDirectory(target);
    try (TreeCopy copy = TreeCopy.outOf(fs, invocation(), "get", options)) {
      for (String source : sources()) {
        String name = RemotePath.name(source);
        Path place = into && !name.isEmpty() ? target.resolve(name) : target;
        copy.add(source, place.toString());
      }
      return copy.finish();
    }
  }
}
