package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CountUsage;
import luciola.grpc.v1.ExpireClients;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.cluster.HeardClients;
import luciola.meta.cluster.ReadRounds;
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
  private static final long ROUND_NANOS = 20 * MILLI;
  private static final long READ_NANOS = 200 * MILLI;

  private final World world;
  private final Network network;
  private final Books books;
  private final CommandLog log;
  private final int memberCount;
  private final Optional<PlantedBug> bug;
  private final int number;
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

  /** The one it leads, if it does. */
  private long leadsTerm;

  /** The newest it has voted in or heard of; durable. */
  private long term;

  private Optional<SimMember> believedLeader = Optional.empty();
  private ReadRounds<Read> led;
  private ReadRounds<Read> followed;

  /** A read that waits for its round. */
  private record Read(Runnable answer, Runnable refuse) {}

  /** The last entry that is applied where the leader is. */
  private record Indexed(boolean leads, int count) {}

  /** What happens when so many entries are there; the reply is not if they came as a snapshot. */
  private record Waiting(int count, Consumer<Optional<NamespaceReply>> action) {}

  SimMember(
      World world,
      Network network,
      Books books,
      CommandLog log,
      int number,
      int memberCount,
      long clientTimeoutNanos,
      double driftMax,
      Optional<PlantedBug> bug) {
    this.world = world;
    this.network = network;
    this.books = books;
    this.log = log;
    this.memberCount = memberCount;
    this.bug = bug;
    this.number = number;
    this.process = new SimProcess(world, "meta" + number, driftMax);
    this.heard = new HeardClients(clientTimeoutNanos, 0);
    this.led = ledRounds();
    this.followed = followedRounds();
  }

  private ReadRounds<Read> ledRounds() {
    return new ReadRounds<>(ReadRounds.othersOfMajority(memberCount), ROUND_NANOS, READ_NANOS);
  }

  private static ReadRounds<Read> followedRounds() {
    return new ReadRounds<>(1, ROUND_NANOS, READ_NANOS);
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
    led = ledRounds();
    followed = followedRounds();
    catchUp();
    process.later(world.between(MILLI, 20 * MILLI), this::tick);
    process.later(ROUND_NANOS / 2, this::tickReads);
  }

  /** Loses its disk; to be started again after. */
  void wipe() {
    world.met(Probe.MEMBER_WIPED);
    durable = fresh();
    durableApplied = 0;
    purged = 0;
    wantedAfterWipe = log.size();
    applied = 0;
    term = 0;
  }

  // The log.

  /** More is decided. */
  void catchUp() {
    if (!applying && process.up() && applied < log.size()) {
      applying = true;
      // Now and then one is slow to apply, also the leader: others have more then.
      process.later(world.between(0, world.chance(0.03) ? 30 * MILLI : MILLI), this::applyNext);
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
    leadsTerm = term;
    heard.leads(process.clockNanos());
    if (has(PlantedBug.EXPIRE_AT_ONCE)) {
      expire(List.copyOf(Tree.reading(state).clients()));
    }
  }

  /** Hears that another one leads. */
  void follow(SimMember leader, long ofTerm) {
    if (!log.leads(this)) {
      leads = false;
    }
    if (ofTerm >= term) {
      term = ofTerm;
      believedLeader = Optional.of(leader).filter(it -> it != this);
    }
  }

  /** Gives its vote to somebody, itself perhaps: from now on it has that term. */
  void vote(long ofTerm) {
    term = ofTerm;
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
    if (!leads
        && request.getAnyMember()
        && !request.hasRenewSessions()
        && !Namespace.isChange(request)) {
      followedRead(request, sink);
      return;
    }
    if (!leads) {
      sink.reply(refused(request, ErrorCode.NOT_LEADER));
      return;
    }
    boolean leased = heard.heard(request.getClientId(), process.clockNanos());
    if (request.hasRenewSessions() && !leased) {
      sink.reply(refused(request, ErrorCode.OVERLOADED));
    } else if (Namespace.isChange(request)) {
      change(request, sink);
    } else if (has(PlantedBug.STALE_META_READ)) {
      sink.reply(Namespace.read(request, state));
    } else {
      carryOutLed(led.read(reading(request, sink), ledTerm(), process.clockNanos()));
    }
  }

  // Reads.

  private Read reading(NamespaceRequest request, Network.ReplySink<NamespaceReply> sink) {
    return new Read(
        () -> sink.reply(Namespace.read(request, state)),
        () -> sink.reply(refused(request, ErrorCode.NOT_LEADER)));
  }

  /** What it believes: it may have been deposed without having heard of it. */
  private OptionalLong ledTerm() {
    return leads ? OptionalLong.of(leadsTerm) : OptionalLong.empty();
  }

  private void tickReads() {
    carryOutLed(led.tick(ledTerm(), process.clockNanos()));
    carryOutFollowed(followed.tick(followedTerm(), process.clockNanos()));
    process.later(ROUND_NANOS / 2, this::tickReads);
  }

  private void carryOutLed(List<ReadRounds.Effect<Read>> effects) {
    for (ReadRounds.Effect<Read> effect : effects) {
      switch (effect) {
        case ReadRounds.Effect.Ask<Read>(long round, long _) -> askTerms(round);
        case ReadRounds.Effect.Release<Read>(var reads) ->
            // What is decided may have been read at another member before it is applied here.
            whenApplied(
                has(PlantedBug.READ_BEFORE_DECIDED) ? 0 : decided(),
                _ -> reads.forEach(read -> read.answer().run()));
        case ReadRounds.Effect.Refuse<Read>(var reads) ->
            reads.forEach(read -> read.refuse().run());
      }
    }
  }

  /** What it knows to be decided: one that was deposed knows nothing of what came after. */
  private int decided() {
    return log.leads(this) ? log.size() : applied;
  }

  private void askTerms(long round) {
    for (SimMember other : log.members()) {
      if (other != this) {
        network.call(
            process,
            other.process,
            other::confirm,
            round,
            4 * ROUND_NANOS,
            new Network.Asker<Long>() {
              @Override
              public void answered(Long itsTerm) {
                long agreed = has(PlantedBug.AGREE_BLINDLY) ? leadsTerm : itsTerm;
                carryOutLed(
                    led.answered(round, other.number, agreed, ledTerm(), process.clockNanos()));
              }

              @Override
              public void failed(boolean refused) {
                // The next round asks again.
              }
            });
      }
    }
  }

  private void confirm(long round, Network.ReplySink<Long> sink) {
    sink.reply(term);
  }

  private void followedRead(NamespaceRequest request, Network.ReplySink<NamespaceReply> sink) {
    world.met(Probe.READ_AT_FOLLOWER);
    carryOutFollowed(followed.read(reading(request, sink), followedTerm(), process.clockNanos()));
  }

  private OptionalLong followedTerm() {
    return believedLeader.isPresent() && !leads
        ? OptionalLong.of(believedLeader.get().number)
        : OptionalLong.empty();
  }

  private void carryOutFollowed(List<ReadRounds.Effect<Read>> effects) {
    for (ReadRounds.Effect<Read> effect : effects) {
      switch (effect) {
        case ReadRounds.Effect.Ask<Read>(long round, long _) ->
            believedLeader.ifPresent(leader -> askIndex(leader, round));
        case ReadRounds.Effect.Release<Read>(var reads) ->
            reads.forEach(read -> read.answer().run());
        case ReadRounds.Effect.Refuse<Read>(var reads) ->
            reads.forEach(read -> read.refuse().run());
      }
    }
  }

  private void askIndex(SimMember leader, long round) {
    network.call(
        process,
        leader.process,
        leader::index,
        round,
        4 * ROUND_NANOS,
        new Network.Asker<Indexed>() {
          @Override
          public void answered(Indexed answer) {
            if (answer.leads()) {
              int count = has(PlantedBug.READ_BEHIND) ? 0 : answer.count();
              whenApplied(
                  count,
                  _ ->
                      carryOutFollowed(
                          followed.answered(
                              round,
                              leader.number,
                              leader.number,
                              followedTerm(),
                              process.clockNanos())));
            }
          }

          @Override
          public void failed(boolean refused) {
            // The next round asks again.
          }
        });
  }

  private void index(long round, Network.ReplySink<Indexed> sink) {
    var read =
        new Read(
            () -> sink.reply(new Indexed(true, applied)), () -> sink.reply(new Indexed(false, 0)));
    carryOutLed(led.read(read, ledTerm(), process.clockNanos()));
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
