package luciola.cli.bench;

import java.io.IOException;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.Invocation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that names the cluster that is measured. */
final class MeasuredCluster {
  @Option(
      names = {"-c", "--cluster"},
      paramLabel = "HOST:PORT",
      description =
          "A cluster that runs already, by its meta-servers; else one of its own is started for"
              + " as long as the bench runs.")
  private @Nullable String cluster;

  /** Starts a cluster for the bench alone. */
  interface Start {
    BenchCluster start() throws IOException, InterruptedException;
  }

  boolean runsAlready() {
    return cluster != null;
  }

  /** The cluster that was named, or else one that is started. */
  BenchCluster open(Invocation invocation, Connector connector, Start own)
      throws IOException, InterruptedException {
    return cluster == null
        ? own.start()
        : BenchCluster.at(
            ClusterOption.addresses("--cluster", cluster),
            new ClusterOption().access(invocation),
            connector);
  }
}
