package luciola.cli.operate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateReply;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.Rebalance;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "table", description = "Tables of chains that files are striped over.")
public final class TableCommand implements Callable<Integer> {
  private static final JsonMapper FILE =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new TableCommand())
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Show(invocation))
        .addSubcommand(new Create(invocation))
        .addSubcommand(new Propose(invocation))
        .addSubcommand(new Apply(invocation))
        .addSubcommand(new RebalanceTable(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  /**
   * What {@code propose} writes and {@code apply} reads: a new table, or other members of chains
   * that exist.
   *
   * @param kind {@code table} or {@code moves}
   * @param chains members of each new chain, head first; of a table
   * @param moves of moves
   */
  private record PlanFile(
      String kind,
      int replicas,
      @Nullable String failureDomain,
      @Nullable List<List<Long>> chains,
      @Nullable List<ClusterView.Move> moves) {}

  /** A failure domain as it is written on the command line. */
  static FailureDomain domain(String text) {
    return switch (text) {
      case "target" -> FailureDomain.FAILURE_DOMAIN_TARGET;
      case "host" -> FailureDomain.FAILURE_DOMAIN_HOST;
      case "leaf" -> FailureDomain.FAILURE_DOMAIN_LEAF;
      default -> throw CommandFailure.wrongUse("--failure-domain is host, leaf or target: " + text);
    };
  }

  @Command(name = "ls", description = "Every version of the table; new files use the newest.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<ClusterView.Table> tables = view().tables();
      if (json) {
        tables.forEach(table -> Json.print(invocation.out(), table));
        return ExitCode.DONE;
      }
      var rows = new Table("table", "version", "chains", "replicas", "failure domain");
      tables.forEach(table ->
          rows.row(
              table.id(),
              table.version(),
              table.chains(),
              table.replicas(),
              table.failureDomain()));
      rows.print(invocation.out());
      return ExitCode.DONE;
    }
  }

  @Command(name = "show", description = "The chains there are and how evenly they lie.")
  static final class Show extends ClusterCall implements Callable<Integer> {
    Show(Invocation invocation) {
      super(invocation);
    }

    private record Shown(
        MoveCall.Spread balance,
        List<ClusterView.Table> tables,
        List<ClusterView.ChainView> chains) {}

    @Override
    public Integer call() {
      return with(meta -> {
        ClusterView view = ClusterView.of(meta.status());
        // A move of nothing says how evenly everything lies.
        OperateReply reply =
            meta.operate(
                OperateRequest.newBuilder()
                    .setDryRun(true)
                    .setExactly(OperateExactly.getDefaultInstance())
                    .build());
        MoveCall.Spread balance = MoveCall.Spread.of(reply.getAfter());
        if (json) {
          Json.print(invocation.out(), new Shown(balance, view.tables(), view.chains()));
        } else {
          ChainCommand.table(view.chains(), view).print(invocation.out());
          invocation.out().println(balance.words());
        }
        return ExitCode.DONE;
      });
    }
  }

  /** What describes a new table. */
  abstract static class Laid extends ClusterCall implements Callable<Integer> {
    @Option(
        names = {"-r", "--replicas"},
        paramLabel = "N",
        defaultValue = "3",
        description = "Targets in each chain (${DEFAULT-VALUE}).")
    int replicas;

    @Option(
        names = "--chains",
        paramLabel = "N",
        defaultValue = "0",
        description = "Chains in the table; 0: as many as lie evenly on the targets.")
    int chains;

    @Option(
        names = "--failure-domain",
        paramLabel = "DOMAIN",
        defaultValue = "host",
        description =
            "What two replicas of a chain must not share: host, leaf or target (${DEFAULT-VALUE});"
                + " leaves differ in any case where there are enough.")
    String failureDomain = "host";

    @Option(
        names = "--where",
        paramLabel = "NAME=VALUE",
        description = "Only targets of storage-servers with this label; may be repeated.")
    List<String> where = List.of();

    @Option(
        names = "--search",
        paramLabel = "SECONDS",
        defaultValue = "2",
        description = "How long a better layout is searched for, up to 60 (${DEFAULT-VALUE}).")
    int search;

    Laid(Invocation invocation) {
      super(invocation);
    }

    CreateTableRequest.Builder table() {
      if (replicas < 1 || chains < 0 || search < 0 || search > 60) {
        throw CommandFailure.wrongUse(
            "numbers out of bounds: --replicas "
                + replicas
                + " --chains "
                + chains
                + " --search "
                + search);
      }
      return CreateTableRequest.newBuilder()
          .setReplicas(replicas)
          .setChains(chains)
          .setFailureDomain(domain(failureDomain))
          .putAllWhere(Quantity.pairs(where))
          .setSearchMillis(Math.max(1, search * 1000))
          .setRequestId(new SecureRandom().nextLong());
    }
  }

  private record Created(
      int table, int version, int chains, int replicas, String method, MoveCall.Spread balance) {}

  private static int created(ClusterCall call, CreateTableReply reply, int replicas) {
    var created =
        new Created(
            reply.getTableId(),
            reply.getTableVersion(),
            reply.getChains(),
            replicas,
            reply.getMethod(),
            MoveCall.Spread.of(reply.getBalance()));
    if (call.json) {
      Json.print(call.invocation.out(), created);
    } else {
      call.invocation
          .out()
          .println(
              "table "
                  + created.table()
                  + " version "
                  + created.version()
                  + ": "
                  + Units.count(created.chains(), "chain")
                  + " of "
                  + Units.count(created.replicas(), "target"));
      call.invocation.out().println(created.method() + ": " + created.balance().words());
    }
    return ExitCode.DONE;
  }

  @Command(
      name = "create",
      description = "Makes chains over the targets that are alive, and a table of them.")
  static final class Create extends Laid {
    Create(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      CreateTableRequest request = table().build();
      return with(meta -> created(this, meta.createTable(request), replicas));
    }
  }

  @Command(
      name = "propose",
      description = {
        "Works out a new table, or with --rebalance other members of the chains there are,",
        "says how evenly it lies and writes it to a file for table apply. Changes nothing."
      })
  static final class Propose extends Laid {
    @Parameters(paramLabel = "FILE", description = "The file to write.")
    private @Nullable Path file;

    @Option(names = "--rebalance", description = "Moves of the chains there are.")
    private boolean rebalance;

    Propose(Invocation invocation) {
      super(invocation);
    }

    private record Proposed(
        String file, int chains, String method, MoveCall.Spread before, MoveCall.Spread after) {}

    @Override
    public Integer call() {
      Path to = invocation.resolve(java.util.Objects.requireNonNull(file));
      return with(meta -> {
        PlanFile plan;
        Proposed proposed;
        if (rebalance) {
          OperateReply reply =
              meta.operate(
                  OperateRequest.newBuilder()
                      .setDryRun(true)
                      .setRebalance(Rebalance.getDefaultInstance())
                      .build());
          plan =
              new PlanFile(
                  "moves",
                  0,
                  null,
                  null,
                  reply.getPlansList().stream()
                      .map(each ->
                          new ClusterView.Move(
                              each.getChainId(), each.getWantedList(), each.getFormerList()))
                      .toList());
          proposed =
              new Proposed(
                  to.toString(),
                  reply.getPlansCount(),
                  "fewest moves",
                  MoveCall.Spread.of(reply.getBefore()),
                  MoveCall.Spread.of(reply.getAfter()));
        } else {
          CreateTableReply reply = meta.createTable(table().setDryRun(true).build());
          plan =
              new PlanFile(
                  "table",
                  replicas,
                  failureDomain,
                  reply.getLayoutList().stream().map(ChainPlan::getWantedList).toList(),
                  null);
          MoveCall.Spread spread = MoveCall.Spread.of(reply.getBalance());
          proposed =
              new Proposed(to.toString(), reply.getChains(), reply.getMethod(), spread, spread);
        }
        write(to, plan);
        if (json) {
          Json.print(invocation.out(), proposed);
        } else {
          invocation.out().println(proposed.method() + ": " + proposed.after().words());
          invocation.out().println(Units.count(proposed.chains(), "chain") + " written to " + to);
        }
        return ExitCode.DONE;
      });
    }

    private static void write(Path file, PlanFile plan) {
      try {
        Files.write(file, FILE.writeValueAsBytes(plan));
      } catch (IOException failed) {
        throw CommandFailure.failed("cannot write " + file + ": " + failed.getMessage(), failed);
      }
    }
  }

  private static PlanFile read(Path file) {
    try {
      return FILE.readValue(Files.readAllBytes(file), PlanFile.class);
    } catch (JsonProcessingException damaged) {
      throw CommandFailure.failed(
          file + " is not what table propose writes: " + damaged.getOriginalMessage(), damaged);
    } catch (IOException failed) {
      throw CommandFailure.failed("cannot read " + file + ": " + failed.getMessage(), failed);
    }
  }

  @Command(
      name = "apply",
      description = "Does what a file of table propose says, all of it or nothing.")
  static final class Apply extends MoveCall {
    @Parameters(paramLabel = "FILE", description = "The file.")
    private @Nullable Path file;

    Apply(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      PlanFile plan = plan();
      if (!plan.kind().equals("table")) {
        return super.call();
      }
      var request =
          CreateTableRequest.newBuilder()
              .setReplicas(plan.replicas())
              .setFailureDomain(
                  domain(plan.failureDomain() == null ? "host" : plan.failureDomain()))
              .setDryRun(dryRun)
              .setRequestId(new SecureRandom().nextLong());
      for (List<Long> chain : plan.chains() == null ? List.<List<Long>>of() : plan.chains()) {
        request.addLayout(ChainPlan.newBuilder().addAllWanted(chain));
      }
      if (request.getLayoutCount() == 0) {
        throw CommandFailure.failed("no chains in " + file);
      }
      return with(meta -> created(this, meta.createTable(request.build()), plan.replicas()));
    }

    private PlanFile plan() {
      PlanFile plan = read(invocation.resolve(java.util.Objects.requireNonNull(file)));
      if (!List.of("table", "moves")
          .contains(String.valueOf(plan.kind()).toLowerCase(Locale.ROOT))) {
        throw CommandFailure.failed(file + " is neither a table nor moves: kind=" + plan.kind());
      }
      return plan;
    }

    @Override
    OperateRequest.Builder request() {
      List<ClusterView.Move> moves = plan().moves();
      var exactly = OperateExactly.newBuilder();
      for (ClusterView.Move move : moves == null ? List.<ClusterView.Move>of() : moves) {
        exactly.addPlans(
            ChainPlan.newBuilder()
                .setChainId(move.chain())
                .addAllWanted(move.wanted())
                .addAllFormer(move.former()));
      }
      return OperateRequest.newBuilder().setExactly(exactly);
    }
  }

  @Command(
      name = "rebalance",
      description = "Moves as few replicas as make every target hold equally many.")
  static final class RebalanceTable extends MoveCall {
    @Option(
        names = "--moves",
        paramLabel = "N",
        defaultValue = "0",
        description = "At most so many replicas; 0: no bound.")
    private int moves;

    RebalanceTable(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      if (moves < 0) {
        throw CommandFailure.wrongUse("--moves must not be negative: " + moves);
      }
      return OperateRequest.newBuilder().setRebalance(Rebalance.newBuilder().setMovesMax(moves));
    }
  }
}
