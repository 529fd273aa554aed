package luciola.cli.operate;

import java.io.PrintStream;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.protocol.control.MetaConnection;
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
  private static final int RESYNCS_SHOWN = 16;
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
    var options = cluster.metaOptions(invocation).withCallNanos(CALL_NANOS);
    try (var meta = MetaConnection.connect(options)) {
      cluster.check(invocation, meta.cluster());
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
    out.println("meta-servers     " + view.metaWords());
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
    long tombstones = view.targets().stream().mapToLong(ClusterView.Target::tombstones).sum();
    if (tombstones > 0) {
      out.println(
          "removed          "
              + Units.count(tombstones, "chunk")
              + " of all targets still remembered, "
              + view.targets().stream().mapToLong(ClusterView.Target::tombstonesCollected).sum()
              + " forgotten");
    }
    moves(view, out);
    if (!view.nodes().isEmpty()) {
      out.println();
      nodes(view).print(out);
    }
    if (!view.resyncs().isEmpty()) {
      out.println();
      resyncs(view.resyncs().stream().limit(chains ? Long.MAX_VALUE : RESYNCS_SHOWN).toList())
          .print(out);
    }
    var shown = view.chains().stream().filter(chain -> chains || !chain.whole()).toList();
    if (!shown.isEmpty()) {
      out.println();
      ChainCommand.table(shown, view).print(out);
    }
  }

  private static void moves(ClusterView view, PrintStream out) {
    List<ClusterView.Node> draining =
        view.nodes().stream().filter(ClusterView.Node::draining).toList();
    if (!draining.isEmpty()) {
      out.println(
          "draining         "
              + String.join(
                  ", ",
                  draining.stream()
                      .map(node ->
                          "node "
                              + node.id()
                              + " with "
                              + Units.count(
                                  node.targets().stream()
                                      .mapToInt(ClusterView.Target::chains)
                                      .sum(),
                                  "replica")
                              + " left")
                      .toList()));
    }
    if (!view.moves().isEmpty()) {
      Set<Integer> chains = new HashSet<>();
      view.moves().forEach(move -> chains.add(move.chain()));
      out.println("moving           " + MoveCall.progress(view, chains, chains.size()));
    }
  }

  /** Fillings as rows. */
  static Table resyncs(List<ClusterView.Resync> resyncs) {
    var table = new Table("filling chain", "from", "to", "bytes", "of", "chunks", "of", "left");
    for (ClusterView.Resync resync : resyncs) {
      table.row(
          resync.chain(),
          resync.source(),
          resync.target(),
          Units.bytes(resync.bytesDone()),
          Units.bytes(resync.bytesTotal()),
          resync.chunksDone(),
          resync.chunksTotal(),
          resync.secondsLeft() < 0
              ? "-"
              : Units.duration(Duration.ofMillis((long) (1000 * resync.secondsLeft()))));
    }
    return table;
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
            TargetCommand.note(target));
      }
    }
    return table;
  }
}
