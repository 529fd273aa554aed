package luciola.simulation.recovery;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import luciola.meta.cluster.MemberRecovery;
import org.jspecify.annotations.Nullable;

/**
 * Raft, as small as it can be, with members that lose their disks and then do what {@link
 * MemberRecovery} lets them. One seed is one history: votes, appends and questions are delivered in
 * any order, late or never; members are paused, restarted and wiped, never more than a minority at
 * a time without what was decided.
 */
final class SmallRaft {
  /** A rule that is left out. */
  enum Without {
    NOTHING,
    /** Who has lost its disk goes on as if it had not. */
    RECOVERY,
    /** It takes entries of whoever says that it leads. */
    CONFIRMED_LEADER,
    /** It votes as soon as it takes entries. */
    EVERYTHING_BEFORE_VOTES,
    /** What it has to have is what was decided before the leader sent anything. */
    HEARING_FIRST,
    /** It is counted when a leader makes sure that it leads. */
    SILENCE
  }

  private static final int WIRE_MAX = 40;

  private final Random random;
  private final Without without;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Message> wire = new ArrayList<>();

  /** What was decided, for good. */
  private final List<Entry> decided = new ArrayList<>();

  /** By the leader of which term. */
  private final List<Integer> decidedIn = new ArrayList<>();

  private int proposed;
  private int elections;
  private int wipes;
  private int recoveries;
  private @Nullable String broken;

  private record Entry(int term, int value) {}

  private sealed interface Body {
    record Vote(int term, int lastTerm, int length) implements Body {}

    record Voted(int term, boolean granted) implements Body {}

    record Append(int term, int from, int fromTerm, List<Entry> entries, int commit)
        implements Body {}

    record Appended(int term, boolean fits, int length) implements Body {}

    record AskLog() implements Body {}

    record Log(boolean empty) implements Body {}

    record AskLead(boolean heard) implements Body {}

    record Confirm(int round) implements Body {}

    record Term(int round, int term) implements Body {}

    record Leads(int term, int decidedIndex, boolean heard) implements Body {}
  }

  /** It arrives in that life of the receiver, and may outlive the one of its sender. */
  private record Message(int from, int fromLife, int to, int life, Body body) {}

  /** A leader makes sure that it leads, for one who asks. */
  private record Round(
      int number, int asker, int life, boolean heard, int term, int known, Set<Integer> agreed) {}

  private static final class Node {
    final int id;
    int life;
    boolean paused;
    @Nullable MemberRecovery recovery;
    int term;
    int votedFor = -1;
    final List<Entry> log = new ArrayList<>();
    int commit;
    boolean leads;
    int leadsFrom;
    final Set<Integer> votes = new HashSet<>();
    final int[] match;
    final int[] next;
    final List<Round> rounds = new ArrayList<>();
    int lastRound;

    Node(int id, int members) {
      this.id = id;
      this.recovery = new MemberRecovery(members - 1, true);
      this.match = new int[members];
      this.next = new int[members];
    }

    boolean counts() {
      return recovery == null;
    }

    boolean ready() {
      return leads && commit > leadsFrom;
    }

    int lastTerm() {
      return log.isEmpty() ? 0 : log.getLast().term();
    }
  }

  private SmallRaft(long seed, int members, Without without) {
    this.random = new Random(seed);
    this.without = without;
    for (int i = 0; i < members; i++) {
      nodes.add(new Node(i, members));
    }
  }

  /**
   * What a history came to.
   *
   * @param broken what was lost or doubled; empty if nothing was
   * @param recoveries members that had lost their disks and counted again
   */
  record Outcome(Optional<String> broken, int decided, int elections, int wipes, int recoveries) {}

  static Outcome run(long seed, int members, Without without) {
    return new SmallRaft(seed, members, without).run(12_000);
  }

  private Outcome run(int steps) {
    for (int i = 0; i < steps && broken == null; i++) {
      step();
    }
    return new Outcome(Optional.ofNullable(broken), decided.size(), elections, wipes, recoveries);
  }

  private int majority() {
    return nodes.size() / 2 + 1;
  }

  private void step() {
    int dice = random.nextInt(1000);
    Node node = nodes.get(random.nextInt(nodes.size()));
    if (dice < 870 && !wire.isEmpty()) {
      Message message = wire.remove(random.nextInt(wire.size()));
      Node to = nodes.get(message.to());
      if (to.life != message.life() || random.nextInt(20) == 0) {
        return;
      }
      if (to.paused) {
        wire.add(message);
      } else {
        deliver(to, message);
      }
    } else if (dice < 950) {
      if (!node.paused) {
        tick(node);
      }
    } else if (dice < 956) {
      campaign(node);
    } else if (dice < 985) {
      if (node.leads && !node.paused) {
        proposed++;
        node.log.add(new Entry(node.term, proposed));
        advance(node);
      }
    } else {
      fault(node, dice);
    }
  }

  private void fault(Node node, int dice) {
    if (dice < 993) {
      node.paused = !node.paused && random.nextInt(3) == 0;
    } else if (dice < 996) {
      restart(node);
    } else if (dice == 999) {
      // Only where the others can do without it: a majority that has everything, or had to.
      long whole =
          nodes.stream().filter(other -> other != node && other.counts() && has(other)).count();
      if (whole >= majority()) {
        restart(node);
        node.term = 0;
        node.votedFor = -1;
        node.log.clear();
        wipes++;
        node.recovery =
            without == Without.RECOVERY ? null : new MemberRecovery(nodes.size() - 1, true);
      }
    }
  }

  /** Whether it was ever filled: one that is only behind is as good as any. */
  private static boolean has(Node node) {
    return !node.log.isEmpty();
  }

  private void restart(Node node) {
    node.life++;
    if (nodes.size() > 3) {
      // Left open: a vote of five that arrives after its voter has lost its disk and come back.
      wire.removeIf(message -> message.from() == node.id && message.body() instanceof Body.Voted);
    }
    node.paused = false;
    node.leads = false;
    node.commit = 0;
    node.votes.clear();
    node.rounds.clear();
    if (node.recovery != null) {
      node.recovery = new MemberRecovery(nodes.size() - 1, node.log.isEmpty());
    }
  }

  private void send(Node from, int to, Body body) {
    if (wire.size() == WIRE_MAX) {
      wire.remove(random.nextInt(WIRE_MAX));
    }
    wire.add(new Message(from.id, from.life, to, nodes.get(to).life, body));
  }

  private void tick(Node node) {
    for (Node other : nodes) {
      if (other == node) {
        continue;
      }
      MemberRecovery core = node.recovery;
      if (core != null) {
        send(node, other.id, new Body.AskLog());
        send(node, other.id, new Body.AskLead(core.hasHeard() || without == Without.HEARING_FIRST));
      }
      // A stream to the other's new life is opened when all of the old one has come.
      if (node.leads && !awaitsOldLife(node, other)) {
        int from = Math.min(node.next[other.id], node.log.size());
        int until = Math.min(node.log.size(), from + 3);
        send(
            node,
            other.id,
            new Body.Append(
                node.term,
                from,
                from == 0 ? 0 : node.log.get(from - 1).term(),
                List.copyOf(node.log.subList(from, until)),
                node.commit));
      }
    }
  }

  private boolean awaitsOldLife(Node node, Node other) {
    return wire.stream()
        .anyMatch(message ->
            message.from() == other.id
                && message.to() == node.id
                && message.life() == node.life
                && message.fromLife() < other.life);
  }

  private void campaign(Node node) {
    if (node.paused || node.leads) {
      return;
    }
    node.term++;
    node.votedFor = node.id;
    node.votes.clear();
    node.votes.add(node.id);
    for (Node other : nodes) {
      if (other != node) {
        send(node, other.id, new Body.Vote(node.term, node.lastTerm(), node.log.size()));
      }
    }
  }

  private void deliver(Node to, Message message) {
    Node from = nodes.get(message.from());
    switch (message.body()) {
      case Body.Vote vote -> vote(to, from, vote);
      case Body.Voted(int term, boolean granted) -> voted(to, from, term, granted);
      case Body.Append append -> append(to, from, append);
      case Body.Appended appended -> appended(to, from, appended);
      case Body.AskLog() -> {
        if (from.life == message.fromLife()) {
          send(to, from.id, new Body.Log(to.log.isEmpty()));
        }
      }
      case Body.Log(boolean empty) -> recover(to, core -> core.logOf(place(to, from), empty));
      case Body.AskLead(boolean heard) -> {
        if (from.life == message.fromLife()) {
          askLead(to, from, heard);
        }
      }
      case Body.Confirm(int round) ->
          send(
              to,
              from.id,
              new Body.Term(round, to.counts() || without == Without.SILENCE ? to.term : 0));
      case Body.Term(int round, int term) -> confirmed(to, from, round, term);
      case Body.Leads(int term, int index, boolean heard) ->
          recover(to, core -> core.leads(term, index, heard));
    }
  }

  /** Others are numbered without the member itself. */
  private static int place(Node node, Node other) {
    return other.id > node.id ? other.id - 1 : other.id;
  }

  private interface Step {
    void on(MemberRecovery core);
  }

  private void recover(Node node, Step step) {
    MemberRecovery core = node.recovery;
    if (core != null) {
      step.on(core);
      core.applied(Math.min(node.commit, node.log.size()) - 1L);
      if (core.isDone()) {
        node.recovery = null;
        recoveries += decided.isEmpty() ? 0 : 1;
      }
    }
  }

  private void heard(Node node, int term) {
    if (term > node.term) {
      node.term = term;
      node.votedFor = -1;
      node.leads = false;
      node.votes.clear();
    }
  }

  private boolean takes(Node node, int term) {
    MemberRecovery core = node.recovery;
    return core == null || without == Without.CONFIRMED_LEADER || core.takes(term);
  }

  private boolean votes(Node node) {
    MemberRecovery core = node.recovery;
    return core == null
        || (without == Without.EVERYTHING_BEFORE_VOTES && core.takes(Long.MAX_VALUE));
  }

  private void vote(Node to, Node from, Body.Vote vote) {
    if (!votes(to)) {
      return;
    }
    heard(to, vote.term());
    boolean knowsEnough =
        vote.lastTerm() > to.lastTerm()
            || (vote.lastTerm() == to.lastTerm() && vote.length() >= to.log.size());
    boolean granted =
        vote.term() == to.term
            && knowsEnough
            && (to.votedFor == -1 || to.votedFor == from.id)
            && !to.leads;
    if (granted) {
      to.votedFor = from.id;
    }
    send(to, from.id, new Body.Voted(to.term, granted));
  }

  private void voted(Node to, Node from, int term, boolean granted) {
    heard(to, term);
    if (!granted || term != to.term || to.leads || to.votedFor != to.id) {
      return;
    }
    to.votes.add(from.id);
    if (to.votes.size() >= majority()) {
      elections++;
      to.leads = true;
      to.leadsFrom = to.log.size();
      Arrays.fill(to.match, 0);
      Arrays.fill(to.next, to.log.size());
      int before = 0;
      while (before < decided.size() && decidedIn.get(before) < to.term) {
        before++;
      }
      if (to.log.size() < before || !to.log.subList(0, before).equals(decided.subList(0, before))) {
        broken = "member " + to.id + " leads term " + to.term + " without what was decided";
      }
      to.log.add(new Entry(to.term, 0));
    }
  }

  private void append(Node to, Node from, Body.Append append) {
    if (!takes(to, append.term())) {
      return;
    }
    if (to.recovery != null) {
      to.recovery.hears();
    }
    heard(to, append.term());
    if (append.term() < to.term) {
      send(to, from.id, new Body.Appended(to.term, false, 0));
      return;
    }
    to.votes.clear();
    boolean fits =
        append.from() <= to.log.size()
            && (append.from() == 0 || to.log.get(append.from() - 1).term() == append.fromTerm());
    if (!fits) {
      send(to, from.id, new Body.Appended(to.term, false, to.log.size()));
      return;
    }
    int at = append.from();
    for (Entry entry : append.entries()) {
      if (at < to.log.size() && !to.log.get(at).equals(entry)) {
        to.log.subList(at, to.log.size()).clear();
      }
      if (at == to.log.size()) {
        to.log.add(entry);
      }
      at++;
    }
    to.commit = Math.max(to.commit, Math.min(append.commit(), at));
    recover(to, _ -> {});
    send(to, from.id, new Body.Appended(to.term, true, at));
  }

  private void appended(Node to, Node from, Body.Appended appended) {
    heard(to, appended.term());
    if (!to.leads || appended.term() != to.term) {
      return;
    }
    if (appended.fits()) {
      to.match[from.id] = Math.max(to.match[from.id], appended.length());
      to.next[from.id] = to.match[from.id];
      advance(to);
    } else {
      to.next[from.id] = Math.max(0, Math.min(to.next[from.id] - 1, appended.length()));
    }
  }

  private void advance(Node leader) {
    for (int length = leader.log.size(); length > leader.commit; length--) {
      if (leader.log.get(length - 1).term() != leader.term) {
        return;
      }
      int have = 1;
      for (Node other : nodes) {
        have += other != leader && leader.match[other.id] >= length ? 1 : 0;
      }
      if (have >= majority()) {
        leader.commit = length;
        decide(leader);
        return;
      }
    }
  }

  private void decide(Node leader) {
    for (int i = 0; i < leader.commit; i++) {
      if (i == decided.size()) {
        decided.add(leader.log.get(i));
        decidedIn.add(leader.term);
      } else if (!decided.get(i).equals(leader.log.get(i))) {
        broken = "entry " + i + " was " + decided.get(i) + " and is " + leader.log.get(i);
      }
    }
  }

  private void askLead(Node to, Node from, boolean heard) {
    if (!to.ready()) {
      return;
    }
    to.lastRound++;
    to.rounds.add(
        new Round(
            to.lastRound, from.id, from.life, heard, to.term, decided.size(), new HashSet<>()));
    if (to.rounds.size() > 8) {
      to.rounds.removeFirst();
    }
    for (Node other : nodes) {
      if (other != to) {
        send(to, other.id, new Body.Confirm(to.lastRound));
      }
    }
  }

  private void confirmed(Node to, Node from, int number, int term) {
    for (Round round : List.copyOf(to.rounds)) {
      if (round.number() == number && to.leads && to.term == round.term() && term == to.term) {
        round.agreed().add(from.id);
        if (round.agreed().size() >= majority() - 1) {
          to.rounds.remove(round);
          if (to.commit < round.known()) {
            broken = "member " + to.id + " made sure that it leads, and knows less than is decided";
          }
          if (nodes.get(round.asker()).life == round.life()) {
            send(to, round.asker(), new Body.Leads(to.term, to.commit - 1, round.heard()));
          }
        }
      }
    }
  }
}
