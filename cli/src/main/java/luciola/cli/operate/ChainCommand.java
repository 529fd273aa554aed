package luciola.cli.operate;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.AddReplica;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.RemoveReplica;
import luciola.protocol.control.MetaConnection;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "chain", description = "Chains of replicas; tables are made of them.")
public final class ChainCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new ChainCommand())
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Show(invocation))
        .addSubcommand(new ChainCreate(invocation))
        .addSubcommand(new Add(invocation))
        .addSubcommand(new Remove(invocation))
        .addSubcommand(new Cancel(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  /** Chains as rows. */
  static Table table(List<ClusterView.ChainView> chains, ClusterView view) {
    Map<Integer, ClusterView.Move> moves = new HashMap<>();
    view.moves().forEach(move -> moves.put(move.chain(), move));
    var table = new Table("chain", "version", "members", "moves to");
    for (ClusterView.ChainView chain : chains) {
      ClusterView.Move move = moves.get(chain.id());
      table.row(
          chain.id(),
          chain.version(),
          String.join(" ", chain.members()),
          move == null ? "" : move.wanted());
    }
    return table;
  }

  private static int chain(@Nullable String text) {
    long id = Quantity.id("chain", String.valueOf(text));
    if (id > Integer.MAX_VALUE) {
      throw CommandFailure.wrongUse("not the number of a chain: " + id);
    }
    return (int) id;
  }

  @Command(name = "ls", description = "Every chain.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    @Option(names = "--moving", description = "Only those that move or are not whole.")
    private boolean moving;

    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      ClusterView view = view();
      List<Integer> moves = view.moves().stream().map(ClusterView.Move::chain).toList();
      List<ClusterView.ChainView> chains =
          view.chains().stream()
              .filter(chain -> !moving || !chain.whole() || moves.contains(chain.id()))
              .toList();
      if (json) {
        chains.forEach(chain -> Json.print(invocation.out(), chain));
      } else {
        table(chains, view).print(invocation.out());
      }
      return ExitCode.DONE;
    }
  }

  @Command(name = "show", description = "One chain, what it is to become and how far that is.")
  static final class Show extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "CHAIN", description = "Its number.")
    private @Nullable String chain;

    Show(Invocation invocation) {
      super(invocation);
    }

    private record Shown(
        ClusterView.ChainView chain,
        List<ClusterView.Move> moves,
        List<ClusterView.Resync> resyncs) {}

    @Override
    public Integer call() {
      int id = chain(chain);
      ClusterView view = view();
      ClusterView.ChainView found =
          view.chains().stream()
              .filter(each -> each.id() == id)
              .findFirst()
              .orElseThrow(() -> CommandFailure.failed("unknown chain " + id));
      var resyncs = view.resyncs().stream().filter(each -> each.chain() == id).toList();
      if (json) {
        Json.print(
            invocation.out(),
            new Shown(
                found, view.moves().stream().filter(move -> move.chain() == id).toList(), resyncs));
        return ExitCode.DONE;
      }
      table(List.of(found), view).print(invocation.out());
      if (!resyncs.isEmpty()) {
        StatusCommand.resyncs(resyncs).print(invocation.out());
      }
      return ExitCode.DONE;
    }
  }

  @Command(name = "add-replica", description = "Gives a chain one target more.")
  static final class Add extends MoveCall {
    @Parameters(index = "0", paramLabel = "CHAIN", description = "Its number.")
    private @Nullable String chain;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The target that comes.")
    private @Nullable String target;

    Add(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      return OperateRequest.newBuilder()
          .setAddReplica(
              AddReplica.newBuilder()
                  .setChainId(chain(chain))
                  .setTargetId(Quantity.id("target", String.valueOf(target))));
    }
  }

  @Command(
      name = "remove-replica",
      description = "Takes a target from a chain when all others of it serve.")
  static final class Remove extends MoveCall {
    @Parameters(index = "0", paramLabel = "CHAIN", description = "Its number.")
    private @Nullable String chain;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The target that goes.")
    private @Nullable String target;

    @Option(
        names = "--fewer",
        description = "Fewer replicas than the chain was made with are meant.")
    private boolean fewer;

    Remove(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      return OperateRequest.newBuilder()
          .setRemoveReplica(
              RemoveReplica.newBuilder()
                  .setChainId(chain(chain))
                  .setTargetId(Quantity.id("target", String.valueOf(target)))
                  .setFewer(fewer));
    }
  }

  @Command(
      name = "cancel",
      description = "Chains go back to the members they had before they began to move.")
  static final class Cancel extends ClusterCall implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "CHAIN", description = "Their numbers.")
    private List<String> chains = List.of();

    @Option(names = "--all", description = "All that move.")
    private boolean all;

    @Option(
        names = "--undrain",
        description = "Also ends the drains of the targets that stay, and of their servers.")
    private boolean undrain;

    Cancel(Invocation invocation) {
      super(invocation);
    }

    /**
     * @param draining targets that stay in these chains and are still to be drained
     */
    private record Cancelled(List<Integer> chains, List<Long> draining) {}

    @Override
    public Integer call() {
      if (all == !chains.isEmpty()) {
        throw CommandFailure.wrongUse("name chains, or --all");
      }
      Cancelled done = with(this::cancelled);
      if (json) {
        Json.print(invocation.out(), done);
      } else {
        invocation.out().println(Units.count(done.chains().size(), "chain") + " go back");
        if (!done.draining().isEmpty()) {
          invocation
              .out()
              .println(
                  "still being drained, so they get no new replicas: targets "
                      + done.draining()
                      + "; end that with --undrain, luciola target undrain or luciola node"
                      + " undrain");
        }
      }
      return ExitCode.DONE;
    }

    private Cancelled cancelled(MetaConnection meta) {
      ClusterView view = ClusterView.of(meta.status());
      List<Integer> chosen =
          all
              ? view.moves().stream().map(ClusterView.Move::chain).toList()
              : chains.stream().map(ChainCommand::chain).toList();
      Set<Long> staying = staying(view, chosen);
      var what = OperateExactly.newBuilder().addAllCancelChains(chosen);
      if (undrain) {
        for (ClusterView.Node node : view.nodes()) {
          List<Long> ended =
              node.targets().stream()
                  .map(ClusterView.Target::id)
                  .filter(staying::contains)
                  .toList();
          what.addAllUndrainTargets(ended);
          if (node.draining() && !ended.isEmpty()) {
            what.addUndrainNodes(node.id());
          }
        }
      }
      meta.operate(OperateRequest.newBuilder().setExactly(what).build());
      return new Cancelled(chosen, undrain ? List.of() : staying.stream().sorted().toList());
    }

    /** Targets that are being drained and were members before the chains began to move. */
    private static Set<Long> staying(ClusterView view, List<Integer> chosen) {
      Set<Long> former = new HashSet<>();
      view.moves().stream()
          .filter(move -> chosen.contains(move.chain()))
          .forEach(move -> former.addAll(move.former()));
      return view.nodes().stream()
          .flatMap(node -> node.targets().stream())
          .filter(target -> target.draining() && former.contains(target.id()))
          .map(ClusterView.Target::id)
          .collect(Collectors.toSet());
    }
  }
}
