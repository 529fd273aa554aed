package luciola.cli.operate;

import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "table", description = "Tables of chains that files are striped over.")
public final class TableCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new TableCommand()).addSubcommand(new Create(invocation));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(spec.commandLine(), "which? table create");
    }
  }

  @Command(
      name = "create",
      description = "Makes chains over the targets that are registered, and a table of them.")
  static final class Create implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin private final ClusterOption cluster = new ClusterOption();

    @Option(
        names = {"-r", "--replicas"},
        paramLabel = "N",
        defaultValue = "3",
        description = "Targets in each chain (${DEFAULT-VALUE}).")
    private int replicas;

    @Option(
        names = "--chains",
        paramLabel = "N",
        defaultValue = "0",
        description = "Chains in the table; 0: as many as lie evenly on the targets.")
    private int chains;

    @Option(names = "--json", description = "The result as one JSON object.")
    private boolean json;

    Create(Invocation invocation) {
      this.invocation = invocation;
    }

    private record Created(int table, int version, int chains, int replicas) {}

    @Override
    public Integer call() {
      try (var meta = MetaConnection.connect(MetaOptions.of(cluster.metaServers(invocation)))) {
        CreateTableReply reply =
            meta.createTable(
                CreateTableRequest.newBuilder().setReplicas(replicas).setChains(chains).build());
        var created =
            new Created(reply.getTableId(), reply.getTableVersion(), reply.getChains(), replicas);
        if (json) {
          Json.print(invocation.out(), created);
        } else {
          invocation
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
        }
        return ExitCode.DONE;
      }
    }
  }
}
