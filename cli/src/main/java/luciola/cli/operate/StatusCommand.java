package luciola.cli.operate;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "status",
    description = {
      "Shows the cluster: servers, targets and chains.",
      "Ends with 0 if every server lives and every chain is whole, else with 3."
    })
public final class StatusCommand implements Callable<Integer> {
  private static final long CALL_NANOS = 10_000_000_000L;

  private final Invocation invocation;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Option(names = "--chains", description = "Every chain, also those that are whole.")
  private boolean chains;

  @Option(names = "--json", description = "Everything as one JSON object.")
  private boolean json;

  public StatusCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    var options = MetaOptions.of(cluster.metaServers(invocation)).withCallNanos(CALL_NANOS);
    try (var meta = MetaConnection.connect(options)) {
      ClusterView view = ClusterView.of(meta.status());
      if (json) {
        Json.print(invocation.out(), view);
      } else {
        print(view);
      }
      return view.nodesAlive() == view.nodes().size() && view.chainsWhole() == view.chains().size()
          ? ExitCode.DONE
          : ExitCode.PARTIAL;
    }
  }

  private void print(ClusterView view) {
    PrintStream out = invocation.out();
    out.println("cluster          " + view.clusterId());
    out.println(
        "meta-servers     " + String.join(", ", view.metaServers()) + "  leader " + view.leader());
    out.println("storage-servers  " + view.nodesAlive() + " of " + view.nodes().size() + " alive");
    out.println(
        "chains           "
            + view.chainsWhole()
            + " of "
            + view.chains().size()
            + " whole, in "
            + Units.count(view.tables().size(), "table")
            + ", routing version "
            + view.routingVersion());
    out.println(
        "inodes           " + view.inodes() + ", " + view.garbage() + " waiting for removal");
    if (!view.nodes().isEmpty()) {
      out.println();
      nodes(view).print(out);
    }
    var shown = view.chains().stream().filter(chain -> chains || !chain.whole()).toList();
    if (!shown.isEmpty()) {
      out.println();
      var table = new Table("chain", "version", "members");
      shown.forEach(
          chain -> table.row(chain.id(), chain.version(), String.join(" ", chain.members())));
      table.print(out);
    }
  }

  private static Table nodes(ClusterView view) {
    var table =
        new Table("node", "address", "alive", "target", "state", "chunks", "used", "of", "note");
    for (ClusterView.Node node : view.nodes()) {
      String alive = node.alive() ? "yes" : "no";
      if (node.targets().isEmpty()) {
        table.row(node.id(), node.address(), alive, "-", "-", "-", "-", "-", "");
      }
      for (ClusterView.Target target : node.targets()) {
        table.row(
            node.id(),
            node.address(),
            alive,
            target.id(),
            target.state(),
            target.chunks(),
            Units.bytes(target.usedBytes()),
            Units.bytes(target.capacityBytes()),
            note(target));
      }
    }
    return table;
  }

  private static String note(ClusterView.Target target) {
    String resync =
        target.resyncProgress() > 0 && target.resyncProgress() < 1
            ? "resync " + Math.round(target.resyncProgress() * 100) + " %"
            : "";
    String errors =
        target.checksumErrors() > 0 ? Units.count(target.checksumErrors(), "checksum error") : "";
    return (resync + " " + errors).strip();
  }
}
