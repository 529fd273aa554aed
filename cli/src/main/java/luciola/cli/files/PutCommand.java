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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "put",
    description = {
      "Copies files and directories of this machine into the cluster.",
      "Into TARGET if that is a directory, else to TARGET itself. A file appears when it is whole."
    })
public final class PutCommand extends FileCommand {
  @Parameters(
      arity = "2..*",
      paramLabel = "SOURCE... TARGET",
      description = "Files and directories here, and where they go.")
  private List<String> paths = List.of();

  @Option(
      names = {"-p", "--parents"},
      description = "Make missing parents of TARGET.")
  private boolean parents;

  @Mixin private final CopyOptions options = new CopyOptions();

  public PutCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    options.check();
    RemotePath.of(paths.getLast());
    for (Path source : sources()) {
      if (!Files.isReadable(source)) {
        throw CommandFailure.failed(
            Files.exists(source) ? "permission denied: " + source : "no such file: " + source);
      }
    }
  }

  private List<Path> sources() {
    return paths.subList(0, paths.size() - 1).stream()
        .map(path -> invocation().resolve(Path.of(path)))
        .toList();
  }

  @Override
  int run(LuciolaFileSystem fs) throws IOException, InterruptedException {
    String target = RemotePath.of(paths.getLast());
    List<Path> sources = sources();
    int slash = target.lastIndexOf('/');
    if (parents && slash > 0) {
      fs.mkdirs(target.substring(0, slash));
    }
    // Every place is known before the first byte is copied: a mistake leaves nothing half done.
    List<String> targets =
        sources.stream()
            .map(source ->
                RemotePath.destination(
                    fs, String.valueOf(source.getFileName()), target, sources.size() > 1))
            .toList();
    try (TreeCopy copy = TreeCopy.into(fs, invocation(), "put", options)) {
      for (int i = 0; i < sources.size(); i++) {
        copy.add(sources.get(i).toString(), targets.get(i));
      }
      return copy.finish();
    }
  }
}
