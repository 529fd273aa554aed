package luciola.cli.operate;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.Balance;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.OperateReply;
import luciola.grpc.v1.OperateRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.error.LuciolaException;
import picocli.CommandLine.Option;

/**
 * A command that gives chains other members. It returns when the plan is stored; with {@code
 * --wait} when every chain of it has its members. Interrupting it stops nothing: the cluster goes
 * on, and the same command again waits on.
 */
abstract class MoveCall extends ClusterCall implements Callable<Integer> {
  private static final long POLL_NANOS = Duration.ofMillis(500).toNanos();
  private static final long PLAIN_NANOS = Duration.ofSeconds(5).toNanos();

  @Option(names = "--dry-run", description = "Only says what would move.")
  boolean dryRun;

  @Option(names = "--wait", description = "Returns when it is done, and shows how far it is.")
  boolean wait;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "0",
      description = "With --wait: gives up waiting, exit code 3; 0: never.")
  int timeout;

  MoveCall(Invocation invocation) {
    super(invocation);
  }

  /** What is asked for. */
  abstract OperateRequest.Builder request();

  /** What {@code --json} prints. */
  private record Outcome(
      boolean dryRun, boolean done, List<ClusterView.Move> moves, Spread before, Spread after) {}

  /** How evenly chains lie on targets. */
  record Spread(
      int chains,
      int targets,
      int replicas,
      int chainsMin,
      int chainsMax,
      int pairsMin,
      int pairsMax,
      double failedShareMax,
      double failedShareOptimum) {
    static Spread of(Balance balance) {
      return new Spread(
          balance.getChains(),
          balance.getTargets(),
          balance.getReplicas(),
          balance.getChainsMin(),
          balance.getChainsMax(),
          balance.getPairsMin(),
          balance.getPairsMax(),
          balance.getFailedShareMax(),
          balance.getFailedShareOptimum());
    }

    String words() {
      return String.format(
          Locale.ROOT,
          "%d chains on %d targets; of one target %d to %d chains, of two together %d to %d; when"
              + " one fails the busiest other takes %.1f %% of its reads (best possible %.1f %%)",
          chains,
          targets,
          chainsMin,
          chainsMax,
          pairsMin,
          pairsMax,
          100 * failedShareMax,
          100 * failedShareOptimum);
    }
  }

  @Override
  public Integer call() {
    if (timeout < 0) {
      throw CommandFailure.wrongUse("--timeout must not be negative: " + timeout);
    }
    return with(meta -> {
      OperateReply reply = meta.operate(request().setDryRun(dryRun).build());
      Set<Integer> chains = new HashSet<>();
      reply.getPlansList().forEach(plan -> chains.add(plan.getChainId()));
      boolean done = !dryRun && (chains.isEmpty() || (wait && awaited(meta, chains)));
      print(reply, done);
      return wait && !dryRun && !done ? ExitCode.PARTIAL : ExitCode.DONE;
    });
  }

  private void print(OperateReply reply, boolean done) {
    if (json) {
      Json.print(
          invocation.out(),
          new Outcome(
              dryRun,
              done,
              reply.getPlansList().stream().map(MoveCall::move).toList(),
              Spread.of(reply.getBefore()),
              Spread.of(reply.getAfter())));
      return;
    }
    String chains = Units.count(reply.getPlansCount(), "chain");
    invocation
        .out()
        .println(
            dryRun
                ? chains + " would move"
                : reply.getPlansCount() == 0
                    ? "done; no chain has to move"
                    : done ? chains + " moved" : chains + " move; watch them: luciola status");
    if (dryRun) {
      for (ChainPlan plan : reply.getPlansList()) {
        invocation
            .out()
            .println(
                "chain "
                    + plan.getChainId()
                    + ": "
                    + plan.getFormerList()
                    + " -> "
                    + plan.getWantedList());
      }
    }
    if (reply.hasAfter() && reply.getPlansCount() > 0) {
      invocation.out().println("before: " + Spread.of(reply.getBefore()).words());
      invocation.out().println("after:  " + Spread.of(reply.getAfter()).words());
    }
  }

  private static ClusterView.Move move(ChainPlan plan) {
    return new ClusterView.Move(
        plan.getChainId(), List.copyOf(plan.getWantedList()), List.copyOf(plan.getFormerList()));
  }

  private boolean awaited(MetaConnection meta, Set<Integer> chains) {
    long start = System.nanoTime();
    long printed = start;
    boolean shown = false;
    try {
      while (true) {
        try {
          ClusterView view = ClusterView.of(meta.status());
          long left = view.moves().stream().filter(move -> chains.contains(move.chain())).count();
          if (left == 0) {
            return true;
          }
          boolean terminal = invocation.interactive();
          if (terminal || System.nanoTime() - printed > PLAIN_NANOS) {
            printed = System.nanoTime();
            shown = true;
            String line = progress(view, chains, left);
            invocation.err().print(terminal ? "\r\033[K" + line : line + "\n");
            invocation.err().flush();
          }
        } catch (LuciolaException notNow) {
          // A new leader is being found; the plan is safe.
          invocation.err().println("waiting: " + notNow.detail());
        }
        if (timeout > 0 && System.nanoTime() - start > Duration.ofSeconds(timeout).toNanos()) {
          return false;
        }
        LockSupport.parkNanos(POLL_NANOS);
        if (Thread.interrupted()) {
          return false;
        }
      }
    } finally {
      if (shown && invocation.interactive()) {
        invocation.err().print("\r\033[K");
        invocation.err().flush();
      }
    }
  }

  /** How far a set of chains is, in one line. */
  static String progress(ClusterView view, Set<Integer> chains, long left) {
    long done = 0;
    long total = 0;
    double seconds = -1;
    for (ClusterView.Resync resync : view.resyncs()) {
      if (chains.contains(resync.chain())) {
        done += resync.bytesDone();
        total += resync.bytesTotal();
        seconds = Math.max(seconds, resync.secondsLeft());
      }
    }
    String filling =
        total == 0 ? "" : ", filling " + Units.bytes(done) + " of " + Units.bytes(total);
    String time =
        seconds < 0
            ? ""
            : ", " + Units.duration(Duration.ofMillis((long) (seconds * 1000))) + " left of those";
    return "moved "
        + (chains.size() - left)
        + " of "
        + Units.count(chains.size(), "chain")
        + filling
        + time;
  }
}
