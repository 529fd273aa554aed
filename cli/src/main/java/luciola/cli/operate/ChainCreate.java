package luciola.cli.operate;

import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.CreateChainsReply;
import luciola.grpc.v1.CreateChainsRequest;
import luciola.grpc.v1.FailureDomain;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "create",
    description = {
      "Makes a chain of these targets, head first; without targets places chains on those that",
      "are used least. With --table new files are striped over the new chains too."
    })
final class ChainCreate extends ClusterCall implements Callable<Integer> {
  private static final int SEARCH_MAX = 60;

  @Parameters(arity = "0..*", paramLabel = "TARGET", description = "Their numbers, head first.")
  private List<String> targets = List.of();

  @Option(
      names = {"-r", "--replicas"},
      paramLabel = "N",
      description = "Targets of a chain that is placed; without it as many as the table's, or 3.")
  private @Nullable Integer replicas;

  @Option(
      names = "--chains",
      paramLabel = "N",
      description = "Chains that are placed; without it one.")
  private @Nullable Integer chains;

  @Option(
      names = "--where",
      paramLabel = "NAME=VALUE",
      description = "Placed only on storage-servers with this label; may be repeated.")
  private List<String> where = List.of();

  @Option(
      names = "--search",
      paramLabel = "SECONDS",
      description = "How long a more even placement of several chains is searched for (2).")
  private @Nullable Integer search;

  @Option(
      names = "--failure-domain",
      paramLabel = "DOMAIN",
      description =
          "What two replicas of a chain must not share: host, leaf or target; without it the"
              + " table's, or host.")
  private @Nullable String failureDomain;

  @Option(
      names = "--table",
      paramLabel = "TABLE",
      description = "Makes a new version of this table with the new chains at its end.")
  private @Nullable String table;

  @Option(names = "--dry-run", description = "Only says what would be made.")
  private boolean dryRun;

  ChainCreate(Invocation invocation) {
    super(invocation);
  }

  private record Member(int chain, List<Long> targets) {}

  private record Created(
      boolean dryRun,
      List<Member> chains,
      int table,
      int tableVersion,
      String method,
      MoveCall.Spread balance) {}

  @Override
  public Integer call() {
    CreateChainsRequest request = request();
    CreateChainsReply reply = with(meta -> meta.createChains(request));
    var created =
        new Created(
            dryRun,
            reply.getChainsList().stream().map(ChainCreate::member).toList(),
            reply.getTableId(),
            reply.getTableVersion(),
            reply.getMethod(),
            MoveCall.Spread.of(reply.getBalance()));
    if (json) {
      Json.print(invocation.out(), created);
    } else {
      print(created);
    }
    return ExitCode.DONE;
  }

  private CreateChainsRequest request() {
    boolean placing = replicas != null || chains != null || search != null || !where.isEmpty();
    if (!targets.isEmpty() && placing) {
      throw CommandFailure.wrongUse(
          "name targets, or say how chains are to be placed: --replicas, --chains, --where and"
              + " --search do not go with targets");
    }
    var request =
        CreateChainsRequest.newBuilder()
            .addAllTargets(Quantity.ids("target", targets))
            .setChains(positive("--chains", chains, 1, 1_000_000))
            .setReplicas(positive("--replicas", replicas, 0, 16))
            .setSearchMillis(
                search == null ? 0 : 1000 * positive("--search", search, 0, SEARCH_MAX))
            .putAllWhere(Quantity.pairs(where))
            .setFailureDomain(
                failureDomain == null
                    ? FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
                    : TableCommand.domain(failureDomain))
            .setRequestId(new SecureRandom().nextLong())
            .setDryRun(dryRun);
    if (table != null) {
      long id = Quantity.id("table", table);
      if (id > Integer.MAX_VALUE) {
        throw CommandFailure.wrongUse("not the number of a table: " + id);
      }
      request.setTableId((int) id);
    }
    return request.build();
  }

  private static int positive(String name, @Nullable Integer value, int absent, int max) {
    if (value == null) {
      return absent;
    }
    if (value < 1 || value > max) {
      throw CommandFailure.wrongUse(name + " is 1 to " + max + ": " + value);
    }
    return value;
  }

  private static Member member(ChainPlan chain) {
    return new Member(chain.getChainId(), chain.getWantedList());
  }

  private void print(Created created) {
    for (Member chain : created.chains()) {
      invocation
          .out()
          .println(
              (dryRun ? "would make a chain of " : "chain " + chain.chain() + ": ")
                  + Units.count(chain.targets().size(), "target")
                  + " "
                  + chain.targets());
    }
    if (created.table() != 0) {
      invocation
          .out()
          .println(
              (dryRun ? "would make table " : "table ")
                  + created.table()
                  + " version "
                  + created.tableVersion());
    }
    invocation.out().println(created.method() + ": " + created.balance().words());
  }
}
