package luciola.cli.operate;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.Drain;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateRequest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "node", description = "Storage-servers: what they are, and taking them out.")
public final class NodeCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new NodeCommand())
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Show(invocation))
        .addSubcommand(new AddLabels(invocation))
        .addSubcommand(new DrainNodes(invocation))
        .addSubcommand(new Undrain(invocation))
        .addSubcommand(new Remove(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  private static String labels(ClusterView.Node node) {
    return String.join(
        " ",
        node.labels().entrySet().stream()
            .map(label -> label.getKey() + "=" + label.getValue())
            .toList());
  }

  private static String state(ClusterView.Node node) {
    return (node.alive() ? "alive" : "silent") + (node.draining() ? ", draining" : "");
  }

  @Command(name = "ls", description = "Every storage-server.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<ClusterView.Node> nodes = view().nodes();
      if (json) {
        nodes.forEach(node -> Json.print(invocation.out(), node));
        return ExitCode.DONE;
      }
      var table =
          new Table("node", "address", "state", "targets", "chains", "used", "of", "labels");
      for (ClusterView.Node node : nodes) {
        table.row(
            node.id(),
            node.address(),
            state(node),
            node.targets().size(),
            node.targets().stream().mapToInt(ClusterView.Target::chains).sum(),
            Units.bytes(node.targets().stream().mapToLong(ClusterView.Target::usedBytes).sum()),
            Units.bytes(node.targets().stream().mapToLong(ClusterView.Target::capacityBytes).sum()),
            labels(node));
      }
      table.print(invocation.out());
      return ExitCode.DONE;
    }
  }

  @Command(name = "show", description = "One storage-server with its targets.")
  static final class Show extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "NODE", description = "Its number.")
    private @Nullable String node;

    Show(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      long id = Quantity.id("node", String.valueOf(node));
      ClusterView.Node found =
          view().node(id).orElseThrow(() -> CommandFailure.failed("unknown node " + id));
      if (json) {
        Json.print(invocation.out(), found);
        return ExitCode.DONE;
      }
      invocation.out().println("node      " + found.id() + " at " + found.address());
      invocation.out().println("state     " + state(found));
      invocation.out().println("labels    " + labels(found));
      TargetCommand.table(found.targets()).print(invocation.out());
      return ExitCode.DONE;
    }
  }

  /** A change that has no plan of its own. */
  abstract static class Change extends ClusterCall implements Callable<Integer> {
    Change(Invocation invocation) {
      super(invocation);
    }

    abstract OperateExactly change();

    abstract String said();

    private record Done(String done) {}

    @Override
    public Integer call() {
      OperateExactly change = change();
      with(meta -> meta.operate(OperateRequest.newBuilder().setExactly(change).build()));
      if (json) {
        Json.print(invocation.out(), new Done(said()));
      } else {
        invocation.out().println(said());
      }
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "add-labels",
      description = {
        "Sets labels of a storage-server; they go before those of its own configuration.",
        "host and leaf decide where replicas may be: NAME= takes a label away."
      })
  static final class AddLabels extends Change {
    @Parameters(index = "0", paramLabel = "NODE", description = "Its number.")
    private @Nullable String node;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "NAME=VALUE", description = "Labels.")
    private List<String> labels = List.of();

    AddLabels(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly change() {
      Map<String, String> pairs = Quantity.pairs(labels);
      return OperateExactly.newBuilder()
          .setLabelNode(Quantity.id("node", String.valueOf(node)))
          .putAllLabels(pairs)
          .build();
    }

    @Override
    String said() {
      return "node " + node + ": " + String.join(" ", labels);
    }
  }

  @Command(
      name = "drain",
      description = "Moves every replica of these storage-servers elsewhere; they get no new ones.")
  static final class DrainNodes extends MoveCall {
    @Parameters(arity = "1..*", paramLabel = "NODE", description = "Their numbers.")
    private List<String> nodes = List.of();

    DrainNodes(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      return OperateRequest.newBuilder()
          .setDrain(Drain.newBuilder().addAllNodes(Quantity.ids("node", nodes)));
    }
  }

  @Command(
      name = "undrain",
      description = "Ends a drain; what has not moved yet stays, what has moved is not moved back.")
  static final class Undrain extends ClusterCall implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "NODE", description = "Their numbers.")
    private List<String> nodes = List.of();

    Undrain(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<Long> ids = Quantity.ids("node", nodes);
      return TargetCommand.undrain(
          this,
          view ->
              ids.stream()
                  .flatMap(id -> view.node(id).stream())
                  .flatMap(node -> node.targets().stream())
                  .map(ClusterView.Target::id)
                  .toList(),
          OperateExactly.newBuilder().addAllUndrainNodes(ids));
    }
  }

  @Command(
      name = "remove",
      description = "Forgets storage-servers that are drained and stopped, with their targets.")
  static final class Remove extends Change {
    @Parameters(arity = "1..*", paramLabel = "NODE", description = "Their numbers.")
    private List<String> nodes = List.of();

    Remove(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly change() {
      return OperateExactly.newBuilder().addAllRemoveNodes(Quantity.ids("node", nodes)).build();
    }

    @Override
    String said() {
      return "removed " + Units.count(nodes.size(), "node");
    }
  }
}
