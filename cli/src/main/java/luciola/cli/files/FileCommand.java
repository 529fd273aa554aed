package luciola.cli.files;

import java.io.IOException;
import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Mixin;

/** A command that works on the file system of a cluster: opens it, runs, closes it. */
abstract class FileCommand implements Callable<Integer> {
  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  FileCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  /** Does the work and returns the exit code. */
  abstract int run(LuciolaFileSystem fs) throws IOException, InterruptedException;

  /** Checks the arguments before the cluster is reached. */
  void checkArguments() {}

  @Override
  public final Integer call() throws IOException, InterruptedException {
    checkArguments();
    try (LuciolaFileSystem fs = cluster.connect(connector, invocation)) {
      return run(fs);
    }
  }

  Invocation invocation() {
    return invocation;
  }
}
