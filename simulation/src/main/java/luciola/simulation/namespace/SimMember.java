package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CountUsage;
import luciola.grpc.v1.ExpireClients;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.cluster.HeardClients;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.MemoryView;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/**
 * One member: applies the log to a state of its own with the production core, answers changes when
 * they are applied here, and fences reads as {@code MetaLog} does. What it has flushed survives its
 * lives; the rest it applies again.
 */
final class SimMember {
  private static final long MILLI = 1_000_000;
  private static final int EXPIRED_MAX = 16;

  private final World world;
  private final Network network;
  private final Books books;
  private final CommandLog log;
  private final boolean alone;
  private final Optional<PlantedBug> bug;
  private final SimProcess process;
  private final HeardClients heard;
  private final List<Waiting> waiting = new ArrayList<>();
  private final Map<Integer, NamespaceReply> replies = new HashMap<>();
  private MemoryView state = fresh();
  private MemoryView durable = fresh();
  private int applied;
  private int durableApplied;
  private int purged;
  private int wantedAfterWipe;
  private boolean applying;
  private boolean leads;

  /** What happens when so many entries are there; the reply is not if they came as a snapshot. */
  private record Waiting(int count, Consumer<Optional<NamespaceReply>> action) {}

  SimMember(
      World world,
      Network network,
      Books books,
      CommandLog log,
      int number,
      boolean alone,
      long clientTimeoutNanos,
      double driftMax,
      Optional<PlantedBug> bug) {
    this.world = world;
    this.network = network;
    this.books = books;
    this.log = log;
    this.alone = alone;
    this.bug = bug;
    this.process = new SimProcess(world, "meta" + number, driftMax);
    this.heard = new HeardClients(clientTimeoutNanos, 0);
  }

  private static MemoryView fresh() {
    var view = new MemoryView();
    Books.format(view);
    return view;
  }

  private boolean has(PlantedBug planted) {
    return bug.filter(planted::equals).isPresent();
  }

  SimProcess process() {
    return process;
  }

  MemoryView state() {
    return state;
  }

  /** Whether it has lost what was decided, and not got it again yet. */
  boolean behind() {
    return durableApplied < wantedAfterWipe && applied < wantedAfterWipe;
  }

  boolean isUpToDate() {
    return process.up() && applied == log.size();
  }

  // Lives.

  void start() {
    process.start();
    if (durableApplied < applied) {
      world.met(Probe.MEMBER_REPLAYED);
    }
    state = durable.copy();
    applied = durableApplied;
    if (has(PlantedBug.SKIP_ENTRY) && applied < log.size()) {
      applied++;
    }
    waiting.clear();
    replies.clear();
    applying = false;
    leads = false;
    catchUp();
    process.later(world.between(MILLI, 20 * MILLI), this::tick);
  }

  /** Loses its disk; to be started again after. */
  void wipe() {
    world.met(Probe.MEMBER_WIPED);
    durable = fresh();
    durableApplied = 0;
    purged = 0;
    wantedAfterWipe = log.size();
    applied = 0;
  }

  // The log.

  /** More is decided. */
  void catchUp() {
    if (!applying && process.up() && applied < log.size()) {
      applying = true;
      process.later(world.between(0, MILLI), this::applyNext);
    }
  }

  private void applyNext() {
    applying = false;
    Optional<SimMember> source = log.leader().filter(leader -> leader != this);
    if (source.filter(leader -> !hears(leader)).isPresent()) {
      waitForLeader();
      return;
    }
    if (source.filter(leader -> applied < leader.purged).isPresent()) {
      install(source.get());
    } else if (applied < log.size()) {
      NamespaceReply reply = books.apply(log.entry(applied), state);
      books.applied(this, applied, reply);
      replies.put(applied, reply);
      applied++;
      flushSometimes();
    }
    answer();
    catchUp();
  }

  /** Entries come from the leader. */
  private boolean hears(SimMember leader) {
    return leader.process.up()
        && !leader.process.paused()
        && network.open(leader.process, process)
        && network.open(process, leader.process);
  }

  private void waitForLeader() {
    applying = true;
    process.later(world.between(MILLI, 20 * MILLI), this::applyNext);
  }

  private void install(SimMember source) {
    world.met(Probe.MEMBER_FROM_SNAPSHOT);
    durable = source.durable.copy();
    durableApplied = source.durableApplied;
    state = durable.copy();
    applied = durableApplied;
  }

  private void flushSometimes() {
    if (world.chance(0.06)) {
      durable = state.copy();
      durableApplied = applied;
      if (world.chance(0.4)) {
        purged = durableApplied;
      }
    }
  }

  private void answer() {
    for (Waiting each : List.copyOf(waiting)) {
      if (each.count() <= applied) {
        waiting.remove(each);
        each.action().accept(Optional.ofNullable(replies.get(each.count() - 1)));
      }
    }
  }

  private void whenApplied(int count, Consumer<Optional<NamespaceReply>> action) {
    waiting.add(new Waiting(count, action));
    answer();
  }

  void becomeLeader(int count) {
    whenApplied(count, _ -> lead());
  }

  private void lead() {
    if (!log.leads(this)) {
      return;
    }
    leads = true;
    heard.leads(process.clockNanos());
    if (has(PlantedBug.EXPIRE_AT_ONCE)) {
      expire(List.copyOf(Tree.reading(state).clients()));
    }
  }

  /** Hears that another one leads. */
  void follow() {
    if (!log.leads(this)) {
      leads = false;
    }
  }

  private void tick() {
    if (leads) {
      expire(heard.gone(Tree.reading(state).clients(), EXPIRED_MAX, process.clockNanos()));
      countUsage();
    }
    process.later(50 * MILLI, this::tick);
  }

  /** So few names at a time that much changes meanwhile. */
  private void countUsage() {
    if (Namespace.isLeftToCount(state)) {
      log.submit(
          this,
          Command.newBuilder()
              .setNowNanos(wallNanos())
              .setCountUsage(CountUsage.newBuilder().setNames(1 + world.below(4)))
              .build(),
          _ -> {});
    }
  }

  private void expire(List<Long> gone) {
    if (!gone.isEmpty()) {
      world.log(process.name(), () -> "expires " + gone);
      log.submit(
          this,
          Command.newBuilder()
              .setNowNanos(wallNanos())
              .setExpireClients(ExpireClients.newBuilder().addAllClients(gone))
              .build(),
          _ -> heard.ended(gone));
    }
  }

  /** Each member's clock says something else. */
  private long wallNanos() {
    return 1_000_000_000_000_000L + process.clockNanos();
  }

  // What clients ask.

  void receive(NamespaceRequest request, Network.ReplySink<NamespaceReply> sink) {
    if (!leads) {
      sink.reply(refused(request, ErrorCode.NOT_LEADER));
      return;
    }
    boolean leased = heard.heard(request.getClientId(), process.clockNanos());
    if (request.hasRenewSessions() && !leased) {
      sink.reply(refused(request, ErrorCode.OVERLOADED));
    } else if (Namespace.isChange(request)) {
      change(request, sink);
    } else if (alone || has(PlantedBug.STALE_META_READ)) {
      sink.reply(Namespace.read(request, state));
    } else {
      submit(request, Command.getDefaultInstance(), sink, _ -> Namespace.read(request, state));
    }
  }

  private void change(NamespaceRequest request, Network.ReplySink<NamespaceReply> sink) {
    Command command = Command.newBuilder().setNowNanos(wallNanos()).setNamespace(request).build();
    if (has(PlantedBug.ANSWER_BEFORE_LOG)) {
      sink.reply(books.apply(command, state.copy()));
      log.submit(this, command, _ -> {});
    } else {
      submit(request, command, sink, reply -> reply);
    }
  }

  private void submit(
      NamespaceRequest request,
      Command command,
      Network.ReplySink<NamespaceReply> sink,
      UnaryOperator<NamespaceReply> answer) {
    log.submit(
        this,
        command,
        index -> {
          if (index == CommandLog.LOST) {
            sink.reply(refused(request, ErrorCode.TIMED_OUT));
          } else {
            whenApplied(
                index + 1,
                reply ->
                    sink.reply(
                        reply.map(answer).orElseGet(() -> refused(request, ErrorCode.TIMED_OUT))));
          }
        });
  }

  private static NamespaceReply refused(NamespaceRequest request, ErrorCode code) {
    return NamespaceReply.newBuilder()
        .setSequence(request.getSequence())
        .setCode(code.number())
        .build();
  }

  @Override
  public String toString() {
    return process
        + (process.up() ? "" : " down")
        + (leads ? " leads" : "")
        + " applied="
        + applied
        + " flushed="
        + durableApplied;
  }
}
