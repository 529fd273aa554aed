package luciola.cli.operate;

import java.util.function.Function;
import luciola.cli.connection.ClusterOption;
import luciola.cli.terminal.Invocation;
import luciola.protocol.control.MetaConnection;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What commands that ask the cluster have in common: which cluster, and how to print. */
abstract class ClusterCall {
  private static final long CALL_NANOS = 90_000_000_000L;

  final Invocation invocation;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Option(names = "--json", description = "The result as JSON.")
  boolean json;

  ClusterCall(Invocation invocation) {
    this.invocation = invocation;
  }

  /** Asks the cluster. */
  <T> T with(Function<MetaConnection, T> question) {
    var options = cluster.metaOptions(invocation).withCallNanos(CALL_NANOS);
    try (var meta = MetaConnection.connect(options)) {
      cluster.check(invocation, meta.cluster());
      return question.apply(meta);
    }
  }

  /** The cluster as it is. */
  ClusterView view() {
    return with(meta -> ClusterView.of(meta.status()));
  }

  /** A command that only has others below it. */
  static Integer which(CommandLine.Model.@Nullable CommandSpec spec) {
    if (spec == null) {
      return 2;
    }
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "which? " + spec.name() + " " + String.join(", ", spec.subcommands().keySet()));
  }
}
