package luciola.cli.fsck;

import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "fsck",
    description = {
      "Checks the whole cluster while it serves: the namespace against itself, every chain's",
      "chunks against the files. Ends with 1 if anything wrong is left."
    })
public final class FsckCommand implements Callable<Integer> {
  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Option(names = "--repair", description = "Mend what is found. Without it nothing is changed.")
  private boolean repair;

  @Option(names = "--json", description = "One JSON object a line: findings, then the sums.")
  private boolean json;

  @Option(
      names = "--chunks-per-second",
      paramLabel = "N",
      defaultValue = "50000",
      description = "Go no faster through the chains (${DEFAULT-VALUE}).")
  private long chunksPerSecond;

  public FsckCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() {
    if (chunksPerSecond < 1) {
      throw CommandFailure.wrongUse("--chunks-per-second is 1 or more, not " + chunksPerSecond);
    }
    try (LuciolaFileSystem connected = cluster.connect(connector, invocation)) {
      if (!(connected instanceof ClusterFileSystem files)) {
        throw CommandFailure.failed("only a cluster can be checked");
      }
      var report = new FsckReport(invocation, json);
      new NamespaceFsck(files.meta(), report).run(repair);
      new ChunkFsck(files, report, chunksPerSecond).run(repair);
      report.sums();
      return report.isClean() ? ExitCode.DONE : ExitCode.FAILED;
    }
  }
}
