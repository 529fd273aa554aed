package luciola.simulation.cluster;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.InitCluster;
import luciola.meta.cluster.ClusterState;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.simulation.check.OneAuthority;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import org.jspecify.annotations.Nullable;

/**
 * The log of the meta-servers as Raft keeps it: one order for all; what is decided stays decided;
 * of what a leader had begun when it was lost, a prefix survives. A leader that cannot reach a
 * majority is replaced, and does not know of it before it hears.
 */
final class SimLog {
  static final long CLUSTER = 77;
  private static final long MILLI = 1_000_000;
  private static final int RECENT_MAX = 6;

  private final World world;
  private final Network network;
  private final List<SimMeta> members = new ArrayList<>();
  private final ArrayDeque<Entry> inFlight = new ArrayDeque<>();
  private final ArrayDeque<ClusterState> recent = new ArrayDeque<>();
  private final Set<Operator.ChainPlace> left = new HashSet<>();
  private final OneAuthority authority;
  private ClusterState decided =
      ClusterState.EMPTY.initCluster(InitCluster.newBuilder().setClusterId(CLUSTER).build());
  private long decidedCount;
  private int term;
  private @Nullable SimMeta leader;
  private int leaderLife;
  private long lostSinceNanos = -1;
  private long electionNanos;

  /** A command on its way into the log. */
  private record Entry(
      Command command, long dueNanos, SimMeta by, int life, Consumer<Optional<CommandReply>> end) {}

  SimLog(World world, Network network, OneAuthority authority) {
    this.authority = authority;
    this.world = world;
    this.network = network;
    recent.add(decided);
  }

  void members(List<SimMeta> all) {
    members.addAll(all);
    world.later(0, this::watch);
  }

  /** What is decided at this very time. */
  ClusterState decided() {
    return decided;
  }

  /** How many commands that took. */
  long decidedCount() {
    return decidedCount;
  }

  /** What a member finds in its own log when it starts: all, or a little less. */
  ClusterState found() {
    return List.copyOf(recent).get(world.below(recent.size()));
  }

  /** Who leads, whether it knows it or not. */
  Optional<SimMeta> leader() {
    return Optional.ofNullable(leader);
  }

  boolean leads(SimMeta member) {
    return leader == member && member.process().life() == leaderLife;
  }

  int term() {
    return term;
  }

  /** Puts a command into the log; ends empty if it is not known what became of it. */
  void submit(SimMeta by, Command command, Consumer<Optional<CommandReply>> end) {
    int life = by.process().life();
    if (!leads(by)) {
      world.met(Probe.DEPOSED_LEADER_SPOKE);
      by.process().later(world.between(MILLI, 50 * MILLI), () -> end.accept(Optional.empty()));
      return;
    }
    long due = world.nowNanos() + world.between(MILLI, 5 * MILLI);
    inFlight.add(new Entry(command, due, by, life, end));
    world.later(due - world.nowNanos(), this::advance);
  }

  /** Gives the lead to another member, as an operator may. */
  void transfer() {
    List<SimMeta> others = members.stream().filter(this::electable).toList();
    if (!others.isEmpty()) {
      elect(others.get(world.below(others.size())));
    }
  }

  private void watch() {
    SimMeta now = leader;
    if (now != null && leads(now) && electable(now)) {
      lostSinceNanos = -1;
      advance();
    } else if (lostSinceNanos < 0) {
      lostSinceNanos = world.nowNanos();
      electionNanos = world.between(20 * MILLI, 400 * MILLI);
    } else if (world.nowNanos() - lostSinceNanos >= electionNanos) {
      transfer();
    }
    tellDeposed();
    world.later(10 * MILLI, this::watch);
  }

  private void tellDeposed() {
    for (SimMeta member : members) {
      SimMeta now = leader;
      if (now != null
          && member.believesToLead()
          && !leads(member)
          && member.process().up()
          && network.open(now.process(), member.process())) {
        member.process().later(world.between(0, 10 * MILLI), member::follow);
      }
    }
  }

  /** Whether it runs and reaches a majority, itself included. */
  private boolean electable(SimMeta member) {
    if (!member.process().up() || member.process().paused()) {
      return false;
    }
    long reached =
        members.stream()
            .filter(other ->
                other == member
                    || (other.process().up()
                        && !other.process().paused()
                        && network.open(member.process(), other.process())
                        && network.open(other.process(), member.process())))
            .count();
    return reached * 2 > members.size();
  }

  private void elect(SimMeta next) {
    SimMeta former = leader;
    int survive = world.below(inFlight.size() + 1);
    while (!inFlight.isEmpty()) {
      Entry entry = inFlight.remove();
      boolean kept = survive-- > 0;
      if (entry.command().hasChangeChains()) {
        world.met(kept ? Probe.OLD_PROPOSAL_SURVIVED : Probe.OLD_PROPOSAL_LOST);
      }
      if (kept) {
        decide(entry, false);
      } else {
        lost(entry);
      }
    }
    term++;
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
                next.becomeLeader(decided, decidedCount, former != null && former != next);
              }
            });
  }

  private void lost(Entry entry) {
    if (entry.by().process().up() && entry.by().process().life() == entry.life()) {
      entry
          .by()
          .process()
          .later(world.between(MILLI, 50 * MILLI), () -> entry.end().accept(Optional.empty()));
    }
  }

  private void advance() {
    SimMeta now = leader;
    while (now != null
        && leads(now)
        && electable(now)
        && !inFlight.isEmpty()
        && inFlight.peek().dueNanos() <= world.nowNanos()) {
      decide(inFlight.remove(), true);
    }
  }

  private void decide(Entry entry, boolean answered) {
    Routing before = decided.routing();
    Decision decision = Decision.of(decided, entry.command());
    if (!decision.state().equals(decided)) {
      decidedCount++;
      decided = decision.state();
      recent.add(decided);
      if (recent.size() > RECENT_MAX) {
        recent.remove();
      }
      logChanges(before);
      long count = decidedCount;
      ClusterState state = decided;
      members.forEach(member -> member.willApply(state, count));
    }
    boolean same = entry.by().process().up() && entry.by().process().life() == entry.life();
    if (same && answered) {
      entry.by().whenApplied(decidedCount, () -> entry.end().accept(decision.reply()));
    } else if (same) {
      lost(entry);
    }
  }

  private void logChanges(Routing before) {
    for (Chain chain : decided.routing().chains().values()) {
      Chain was = before.chains().get(chain.id());
      if (!chain.equals(was)) {
        world.log("log", () -> "decided " + chain);
        if (was != null) {
          authority.decided(was, chain);
          Operator.meet(world, left, decided, was, chain);
        }
      }
    }
  }
}
