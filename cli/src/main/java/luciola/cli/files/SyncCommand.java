package luciola.cli.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Invocation;
import luciola.cli.transfer.TransferOptions;
import luciola.cli.transfer.TreeCopy;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "sync",
    description = {
      "Makes TARGET like SOURCE, copying only what differs: a directory with everything in it, or a"
          + " file.",
      "One of the two is a path of this machine, the other one of the cluster, written"
          + " luciola:/PATH."
    })
public final class SyncCommand extends FileCommand {
  private static final String REMOTE = "luciola:";

  @Parameters(index = "0", paramLabel = "SOURCE", description = "What it is to be like.")
  private String source = "";

  @Parameters(index = "1", paramLabel = "TARGET", description = "What is changed.")
  private String target = "";

  @Option(
      names = "--checksum",
      description =
          "Compare the CRC32C of files of the same length, not their times: reads both sides.")
  private boolean checksum;

  @Option(
      names = "--delete",
      description = "Remove what SOURCE lacks, when everything else is done without a failure.")
  private boolean delete;

  @Option(
      names = {"-n", "--dry-run"},
      description = "Only say what would be done, a line each.")
  private boolean dryRun;

  @Mixin private final TransferOptions options = new TransferOptions();

  public SyncCommand(Invocation invocation, Connector connector) {
    super(invocation, connector);
  }

  @Override
  void checkArguments() {
    options.check();
    options.exact(checksum, delete, dryRun);
    if (source.startsWith(REMOTE) == target.startsWith(REMOTE)) {
      throw CommandFailure.wrongUse(
          "one of SOURCE and TARGET is a path of the cluster, written luciola:/PATH");
    }
    if (source.startsWith(REMOTE)) {
      remote(source);
    } else {
      remote(target);
      if (!Files.isReadable(local(source))) {
        throw CommandFailure.failed("no such file, or not to be read: " + local(source));
      }
    }
  }

  private static String remote(String argument) {
    return RemotePath.of(argument.substring(REMOTE.length()));
  }

  private Path local(String argument) {
    return invocation().resolve(Path.of(argument));
  }

  @Override
  int run(LuciolaFileSystem fs) throws IOException, InterruptedException {
    boolean out = source.startsWith(REMOTE);
    try (TreeCopy copy =
        out
            ? TreeCopy.outOf(fs, invocation(), "sync", options)
            : TreeCopy.into(fs, invocation(), "sync", options)) {
      if (out) {
        copy.add(remote(source), local(target).toString());
      } else {
        copy.add(local(source).toString(), remote(target));
      }
      return copy.finish();
    }
  }
}
