package luciola.cli.operate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.grpc.v1.Drain;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.ReplaceTarget;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "target", description = "Targets, the disks of storage-servers.")
public final class TargetCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new TargetCommand())
        .addSubcommand(new Ls(invocation))
        .addSubcommand(new Show(invocation))
        .addSubcommand(new DrainTargets(invocation))
        .addSubcommand(new Undrain(invocation))
        .addSubcommand(new Replace(invocation))
        .addSubcommand(new TargetVerifyCommand(invocation))
        .addSubcommand(new Reopen(invocation))
        .addSubcommand(new Offline(invocation))
        .addSubcommand(new Online(invocation))
        .addSubcommand(new Remove(invocation));
  }

  @Override
  public Integer call() {
    return ClusterCall.which(spec);
  }

  /** Targets as rows. */
  static Table table(List<ClusterView.Target> targets) {
    var table =
        new Table(
            "target", "node", "state", "chains", "chunks", "removed", "used", "of", "read", "flush",
            "note");
    for (ClusterView.Target target : targets) {
      table.row(
          target.id(),
          target.node(),
          target.state(),
          target.chains(),
          target.chunks(),
          target.tombstones(),
          Units.bytes(target.usedBytes()),
          Units.bytes(target.capacityBytes()),
          latency(target.readLatencyNanos()),
          latency(target.flushLatencyNanos()),
          note(target));
    }
    return table;
  }

  private static String latency(long nanos) {
    return nanos <= 0 ? "-" : String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
  }

  /** What is to be known of a target, in a few words; empty if all is well. */
  static String note(ClusterView.Target target) {
    var notes = new ArrayList<String>();
    if (target.draining()) {
      notes.add("draining");
    }
    if (target.held()) {
      notes.add("offline by an operator");
    } else if (target.slow()) {
      notes.add("SLOW: " + target.reason());
    } else if (!target.reason().isEmpty()) {
      notes.add(target.reason());
    }
    if (target.lowSpace()) {
      notes.add("low space");
    }
    if (target.resyncProgress() > 0 && target.resyncProgress() < 1) {
      notes.add("resync " + Math.round(target.resyncProgress() * 100) + " %");
    }
    if (target.checksumErrors() > 0) {
      notes.add(Units.count(target.checksumErrors(), "checksum error"));
    }
    ClusterView.Scrub scrub = target.scrub();
    if (scrub.bytesTotal() > 0) {
      notes.add("scrub " + 100 * scrub.bytesDone() / scrub.bytesTotal() + " %");
    }
    if (scrub.found() > 0) {
      notes.add(
          "scrub found "
              + Units.count(scrub.found(), "bad block")
              + ", repaired "
              + scrub.repaired());
    }
    return String.join(", ", notes);
  }

  @Command(name = "ls", description = "Every target.")
  static final class Ls extends ClusterCall implements Callable<Integer> {
    Ls(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<ClusterView.Target> targets = view().targets();
      if (json) {
        targets.forEach(target -> Json.print(invocation.out(), target));
      } else {
        table(targets).print(invocation.out());
      }
      return ExitCode.DONE;
    }
  }

  @Command(name = "show", description = "One target with its chains.")
  static final class Show extends ClusterCall implements Callable<Integer> {
    @Parameters(paramLabel = "TARGET", description = "Its number.")
    private @Nullable String target;

    Show(Invocation invocation) {
      super(invocation);
    }

    private record Shown(ClusterView.Target target, List<ClusterView.ChainView> chains) {}

    @Override
    public Integer call() {
      long id = Quantity.id("target", String.valueOf(target));
      ClusterView view = view();
      ClusterView.Target found =
          view.targets().stream()
              .filter(each -> each.id() == id)
              .findFirst()
              .orElseThrow(() -> CommandFailure.failed("unknown target " + id));
      List<ClusterView.ChainView> chains =
          view.chains().stream()
              .filter(
                  chain -> chain.members().stream().anyMatch(member -> member.startsWith(id + ":")))
              .toList();
      if (json) {
        Json.print(invocation.out(), new Shown(found, chains));
        return ExitCode.DONE;
      }
      invocation.out().println("target    " + found.id() + " of node " + found.node());
      invocation.out().println("disk      " + found.disk());
      invocation.out().println("state     " + found.state() + "  " + note(found));
      invocation.out().println("scrub     " + scrub(found.scrub()));
      invocation
          .out()
          .println(
              "removed   "
                  + Units.count(found.tombstones(), "chunk")
                  + " remembered, "
                  + found.tombstonesCollected()
                  + " forgotten since its server started");
      table(List.of(found)).print(invocation.out());
      ChainCommand.table(chains, view).print(invocation.out());
      return ExitCode.DONE;
    }

    private static String scrub(ClusterView.Scrub scrub) {
      String last =
          scrub.lastPassAgeSeconds() < 0
              ? "no pass finished yet"
              : "last pass "
                  + Units.duration(Duration.ofSeconds((long) scrub.lastPassAgeSeconds()))
                  + " ago";
      return scrub.bytesTotal() == 0
          ? last
          : last
              + ", now "
              + Units.bytes(scrub.bytesDone())
              + " of "
              + Units.bytes(scrub.bytesTotal());
    }
  }

  @Command(
      name = "drain",
      description = "Moves every replica of these targets elsewhere; they get no new ones.")
  static final class DrainTargets extends MoveCall {
    @Parameters(arity = "1..*", paramLabel = "TARGET", description = "Their numbers.")
    private List<String> targets = List.of();

    DrainTargets(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      return OperateRequest.newBuilder()
          .setDrain(Drain.newBuilder().addAllTargets(Quantity.ids("target", targets)));
    }
  }

  @Command(
      name = "undrain",
      description = "Ends a drain; what has not moved yet stays, what has moved is not moved back.")
  static final class Undrain extends ClusterCall implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "TARGET", description = "Their numbers.")
    private List<String> targets = List.of();

    Undrain(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() {
      List<Long> ids = Quantity.ids("target", targets);
      return undrain(this, _ -> ids, OperateExactly.newBuilder().addAllUndrainTargets(ids));
    }
  }

  private record Undrained(boolean done, List<Integer> chainsKept) {}

  /** Ends a drain of targets: chains that still have them keep them. */
  static int undrain(
      ClusterCall call, Function<ClusterView, List<Long>> targets, OperateExactly.Builder change) {
    List<Integer> kept =
        call.with(meta -> {
          ClusterView view = ClusterView.of(meta.status());
          List<Long> ids = targets.apply(view);
          List<Integer> chains =
              view.moves().stream()
                  .filter(move ->
                      ids.stream()
                          .anyMatch(
                              id -> move.former().contains(id) && !move.wanted().contains(id)))
                  .map(ClusterView.Move::chain)
                  .toList();
          meta.operate(
              OperateRequest.newBuilder().setExactly(change.addAllCancelChains(chains)).build());
          return chains;
        });
    if (call.json) {
      Json.print(call.invocation.out(), new Undrained(true, kept));
    } else {
      call.invocation
          .out()
          .println(
              "the drain has ended; " + Units.count(kept.size(), "chain") + " stay as they were");
    }
    return ExitCode.DONE;
  }

  @Command(
      name = "replace",
      description = "Gives every chain of target OLD the target NEW instead, dead or alive.")
  static final class Replace extends MoveCall {
    @Parameters(index = "0", paramLabel = "OLD", description = "The target that goes.")
    private @Nullable String former;

    @Parameters(index = "1", paramLabel = "NEW", description = "The target that comes.")
    private @Nullable String instead;

    Replace(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateRequest.Builder request() {
      return OperateRequest.newBuilder()
          .setReplace(
              ReplaceTarget.newBuilder()
                  .setOldTarget(Quantity.id("target", String.valueOf(former)))
                  .setNewTarget(Quantity.id("target", String.valueOf(instead))));
    }
  }

  /** A change of some targets that moves nothing. */
  abstract static class Change extends ClusterCall implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "TARGET", description = "Their numbers.")
    private List<String> targets = List.of();

    Change(Invocation invocation) {
      super(invocation);
    }

    abstract OperateExactly.Builder change(List<Long> ids);

    abstract String said();

    private record Done(String done, List<Long> targets) {}

    @Override
    public Integer call() {
      List<Long> ids = Quantity.ids("target", targets);
      with(meta -> meta.operate(OperateRequest.newBuilder().setExactly(change(ids)).build()));
      if (json) {
        Json.print(invocation.out(), new Done(said(), ids));
      } else {
        invocation.out().println(said() + ": " + Units.count(ids.size(), "target"));
      }
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "offline",
      description = "Takes targets out of service; they stay in their chains. See target online.")
  static final class Offline extends Change {
    Offline(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly.Builder change(List<Long> ids) {
      return OperateExactly.newBuilder().addAllHoldTargets(ids);
    }

    @Override
    String said() {
      return "taken out of service";
    }
  }

  @Command(name = "online", description = "Lets targets serve again: they are filled first.")
  static final class Online extends Change {
    Online(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly.Builder change(List<Long> ids) {
      return OperateExactly.newBuilder().addAllReleaseTargets(ids);
    }

    @Override
    String said() {
      return "back in service";
    }
  }

  @Command(
      name = "reopen",
      description =
          "Has failed targets whose disks are well again opened at once by their servers.")
  static final class Reopen extends Change {
    Reopen(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly.Builder change(List<Long> ids) {
      return OperateExactly.newBuilder().addAllReopenTargets(ids);
    }

    @Override
    String said() {
      return "asked to be opened again";
    }
  }

  @Command(name = "remove", description = "Forgets targets that are drained and gone.")
  static final class Remove extends Change {
    Remove(Invocation invocation) {
      super(invocation);
    }

    @Override
    OperateExactly.Builder change(List<Long> ids) {
      return OperateExactly.newBuilder().addAllRemoveTargets(ids);
    }

    @Override
    String said() {
      return "removed";
    }
  }
}
