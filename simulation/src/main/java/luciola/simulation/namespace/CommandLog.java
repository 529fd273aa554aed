package luciola.simulation.namespace;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import luciola.grpc.v1.Command;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/**
 * The log as Raft keeps it: one order for all; what is decided stays decided; of what a leader had
 * begun when it was lost, a prefix survives. A leader that cannot reach a majority is replaced, and
 * does not know of it before it hears.
 */
final class CommandLog {
  static final int LOST = -1;
  private static final long MILLI = 1_000_000;

  private final World world;
  private final Network network;
  private final Books books;
  private final List<SimMember> members = new ArrayList<>();
  private final List<Command> entries = new ArrayList<>();
  private final ArrayDeque<Entry> inFlight = new ArrayDeque<>();
  private int term;
  private @Nullable SimMember leader;
  private int leaderLife;
  private long lostSinceNanos = -1;
  private long electionNanos;

  /** A command on its way into the log. */
  private record Entry(
      Command command, long wishedNanos, long dueNanos, SimMember by, int life, IntConsumer end) {}

  CommandLog(World world, Network network, Books books) {
    this.world = world;
    this.network = network;
    this.books = books;
  }

  void members(List<SimMember> all) {
    members.addAll(all);
    world.later(0, this::watch);
  }

  /** How many entries are decided. */
  int size() {
    return entries.size();
  }

  Command entry(int index) {
    return entries.get(index);
  }

  /** Who leads, whether it knows it or not. */
  Optional<SimMember> leader() {
    return Optional.ofNullable(leader);
  }

  boolean leads(SimMember member) {
    return leader == member && member.process().life() == leaderLife;
  }

  /**
   * Puts a command into the log.
   *
   * @param end gets its index, or LOST if it is not known what became of it
   */
  void submit(SimMember by, Command command, IntConsumer end) {
    if (!leads(by)) {
      world.met(Probe.READ_BY_DEPOSED_LEADER);
      by.process().later(world.between(MILLI, 50 * MILLI), () -> end.accept(LOST));
      return;
    }
    long due = world.nowNanos() + world.between(MILLI / 4, 4 * MILLI);
    inFlight.add(new Entry(command, world.nowNanos(), due, by, by.process().life(), end));
    world.later(due - world.nowNanos(), this::advance);
  }

  /** Gives the lead to another member, as an operator may. */
  void transfer() {
    List<SimMember> others = members.stream().filter(this::electable).toList();
    if (!others.isEmpty()) {
      elect(others.get(world.below(others.size())));
    }
  }

  private void watch() {
    SimMember now = leader;
    if (now != null && leads(now) && electable(now)) {
      lostSinceNanos = -1;
      advance();
    } else if (lostSinceNanos < 0) {
      lostSinceNanos = world.nowNanos();
      electionNanos = world.between(20 * MILLI, 300 * MILLI);
    } else if (world.nowNanos() - lostSinceNanos >= electionNanos) {
      transfer();
    }
    for (SimMember member : members) {
      if (now != null && !leads(member) && hearsSoon(now, member)) {
        long ofTerm = term;
        member.process().later(world.between(0, 10 * MILLI), () -> member.follow(now, ofTerm));
      }
    }
    world.later(10 * MILLI, this::watch);
  }

  /** The leader calls now and then; what is held when it does hears of it some time after that. */
  private boolean hearsSoon(SimMember now, SimMember member) {
    return !member.process().paused()
        && network.open(now.process(), member.process())
        && world.chance(0.1);
  }

  /** Whether it runs, has what is decided and reaches a majority, itself included. */
  private boolean electable(SimMember member) {
    if (!votes(member)) {
      return false;
    }
    return voters(member).size() * 2 > members.size();
  }

  /** Those that would vote for it, itself included. */
  private List<SimMember> voters(SimMember member) {
    return members.stream()
        .filter(other ->
            other == member
                || (votes(other)
                    && network.open(member.process(), other.process())
                    && network.open(other.process(), member.process())))
        .toList();
  }

  List<SimMember> members() {
    return members;
  }

  private static boolean votes(SimMember member) {
    return member.process().up() && !member.process().paused() && !member.behind();
  }

  private void elect(SimMember next) {
    int survive = world.below(inFlight.size() + 1);
    while (!inFlight.isEmpty()) {
      Entry entry = inFlight.remove();
      boolean kept = survive-- > 0;
      if (entry.command().hasNamespace()) {
        world.met(kept ? Probe.CHANGE_OF_FORMER_LEADER : Probe.CHANGE_LOST_WITH_LEADER);
      }
      if (kept) {
        decide(entry);
      }
      tell(entry, LOST, world.between(MILLI, 50 * MILLI));
    }
    term++;
    // Any majority of those that could: the others hear of it later.
    List<SimMember> voters = voters(next);
    int needed = members.size() / 2 + 1;
    voters.stream().filter(voter -> voter != next).limit(needed - 1).forEach(it -> it.vote(term));
    next.vote(term);
    leader = next;
    leaderLife = next.process().life();
    lostSinceNanos = -1;
    int ofTerm = term;
    world.log("log", () -> next.process() + " leads in term " + ofTerm);
    next.process()
        .later(
            world.between(MILLI, 20 * MILLI),
            () -> {
              if (term == ofTerm) {
                next.becomeLeader(entries.size());
              }
            });
  }

  private void advance() {
    SimMember now = leader;
    while (now != null
        && leads(now)
        && electable(now)
        && !inFlight.isEmpty()
        && inFlight.peek().dueNanos() <= world.nowNanos()) {
      Entry entry = inFlight.remove();
      int index = entries.size();
      decide(entry);
      tell(entry, index, 0);
    }
  }

  private void decide(Entry entry) {
    world.log("log", () -> "index=" + entries.size() + " by " + entry.by() + " " + entry.command());
    entries.add(entry.command());
    books.decided(entry.command(), entry.by(), entry.wishedNanos());
    members.forEach(SimMember::catchUp);
  }

  private static void tell(Entry entry, int index, long delayNanos) {
    if (entry.by().process().up() && entry.by().process().life() == entry.life()) {
      entry.by().process().later(delayNanos, () -> entry.end().accept(index));
    }
  }
}
