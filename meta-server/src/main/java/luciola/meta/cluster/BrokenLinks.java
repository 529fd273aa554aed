package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import luciola.grpc.v1.PeerReport;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;

/**
 * Servers that live but do not reach each other, and what their chains do about it. Nothing can be
 * written through a member that its neighbours cannot reach, and it keeps its lease, because the
 * manager hears it well.
 *
 * <p>A link between two servers is broken when one of them has told for the failure time that the
 * other answers nothing, and the manager hears both. Whose fault it is nobody can know, so no side
 * is believed more than the other. In a chain with a broken link between two members on the write
 * path one of the two steps down: the one with more broken links in this chain, else with more
 * broken links at all, else the one that comes later in the chain. Never the last that serves.
 *
 * <p>Against flapping: in one chain one member at most steps down in a lease time, and it stays out
 * until its links to the serving members have been whole for a hold time: a lease time, twice as
 * long each time it happens again, {@value #HOLD_MAX} lease times at most. Who was well for four
 * hold times begins anew.
 */
final class BrokenLinks {
  /** Lease times that a member is kept out at most after its links are whole again. */
  static final int HOLD_MAX = 64;

  private static final int FORGIVEN_AFTER = 4;

  private final ClusterTimings timings;
  private final Map<NodeId, Set<NodeId>> broken = new TreeMap<>();
  private final Map<ChainId, Absences> absences = new TreeMap<>();

  BrokenLinks(ClusterTimings timings) {
    this.timings = timings;
  }

  /** Members of one chain that stepped down, or did so not long ago. */
  private static final class Absences {
    final Map<TargetId, Absence> byTarget = new TreeMap<>();
    Optional<Long> lastNanos = Optional.empty();
  }

  /**
   * @param out whether it is out now
   * @param brokenNanos when a link of its was last seen broken; if it is back, when it came back
   * @param times how often in a row
   */
  private record Absence(boolean out, long brokenNanos, int times) {}

  void clear() {
    broken.clear();
    absences.clear();
  }

  /** Looks at what servers have told, and decides who steps down and who comes back. */
  void tick(Routing routing, Lives lives, long nowNanos) {
    broken.clear();
    for (StorageNode node : routing.nodes().values()) {
      if (lives.heardLately(node.id(), nowNanos)) {
        for (PeerReport report : lives.unreachable(node.id())) {
          meet(routing, lives, node.id(), report, nowNanos);
        }
      }
    }
    absences.keySet().retainAll(routing.chains().keySet());
    if (broken.isEmpty() && absences.isEmpty()) {
      return;
    }
    for (Chain chain : routing.chains().values()) {
      comeBack(routing, chain, nowNanos);
      stepDown(routing, chain, nowNanos);
    }
  }

  private void meet(Routing routing, Lives lives, NodeId one, PeerReport report, long nowNanos) {
    if (report.getSilentNanos() < timings.failureNanos() || report.getNodeId() < 1) {
      return;
    }
    var other = new NodeId(report.getNodeId());
    if (!other.equals(one)
        && routing.nodes().containsKey(other)
        && lives.heardLately(other, nowNanos)) {
      broken.computeIfAbsent(one, _ -> new TreeSet<>()).add(other);
      broken.computeIfAbsent(other, _ -> new TreeSet<>()).add(one);
    }
  }

  /** Members of a chain that are out because of their links. */
  Set<TargetId> out(ChainId chain) {
    Absences known = absences.get(chain);
    if (known == null) {
      return Set.of();
    }
    var out = new HashSet<TargetId>();
    known.byTarget.forEach((target, absence) -> {
      if (absence.out()) {
        out.add(target);
      }
    });
    return out;
  }

  /** With which servers this one has no connection, in words; empty if it has with all. */
  Optional<String> reason(NodeId node) {
    Set<NodeId> others = broken.getOrDefault(node, Set.of());
    return others.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "no connection between its server and node "
                + String.join(", ", others.stream().map(NodeId::toString).toList()));
  }

  private boolean broken(Routing routing, TargetId one, TargetId other) {
    Optional<StorageNode> a = routing.nodeOf(one);
    Optional<StorageNode> b = routing.nodeOf(other);
    return a.isPresent()
        && b.isPresent()
        && broken.getOrDefault(a.get().id(), Set.of()).contains(b.get().id());
  }

  private void comeBack(Routing routing, Chain chain, long nowNanos) {
    Absences known = absences.get(chain.id());
    if (known == null) {
      return;
    }
    known.byTarget.replaceAll((target, absence) -> {
      if (!absence.out()) {
        return absence;
      }
      boolean cut = chain.serving().stream().anyMatch(each -> broken(routing, each, target));
      if (cut) {
        return new Absence(true, nowNanos, absence.times());
      }
      return nowNanos - absence.brokenNanos() < hold(absence)
          ? absence
          : new Absence(false, nowNanos, absence.times());
    });
    known
        .byTarget
        .values()
        .removeIf(absence ->
            !absence.out() && nowNanos - absence.brokenNanos() > FORGIVEN_AFTER * hold(absence));
    known.byTarget.keySet().removeIf(target -> chain.stateOf(target).isEmpty());
    if (known.byTarget.isEmpty()) {
      absences.remove(chain.id());
    }
  }

  private long hold(Absence absence) {
    return timings.leaseNanos() * Math.min(HOLD_MAX, 1L << Math.min(absence.times() - 1, 30));
  }

  private void stepDown(Routing routing, Chain chain, long nowNanos) {
    if (broken.isEmpty()) {
      return;
    }
    Absences known = absences.getOrDefault(chain.id(), new Absences());
    if (known.lastNanos.filter(last -> nowNanos - last < timings.leaseNanos()).isPresent()) {
      return;
    }
    Set<TargetId> out = out(chain.id());
    Optional<TargetId> leaves =
        leaving(
            chain,
            out,
            (a, b) -> broken(routing, a, b),
            target ->
                routing
                    .nodeOf(target)
                    .map(node -> broken.getOrDefault(node.id(), Set.of()).size())
                    .orElse(0));
    if (leaves.isPresent()) {
      Absence before = known.byTarget.get(leaves.get());
      known.byTarget.put(
          leaves.get(), new Absence(true, nowNanos, before == null ? 1 : before.times() + 1));
      known.lastNanos = Optional.of(nowNanos);
      absences.put(chain.id(), known);
    }
  }

  /** Whether two members do not reach each other. */
  @FunctionalInterface
  interface Link {
    boolean broken(TargetId one, TargetId other);
  }

  /** How many links of a member's server are broken, to anybody. */
  @FunctionalInterface
  interface Faults {
    int of(TargetId target);
  }

  /**
   * Who is to step down next, if anybody.
   *
   * @param out members that are out already
   */
  static Optional<TargetId> leaving(Chain chain, Set<TargetId> out, Link link, Faults faults) {
    List<TargetId> path = new ArrayList<>();
    Set<TargetId> serving = new HashSet<>();
    for (ChainMember member : chain.members()) {
      if (member.state().receivesWrites() && !out.contains(member.target())) {
        path.add(member.target());
        if (member.state() == PublicState.SERVING) {
          serving.add(member.target());
        }
      }
    }
    if (serving.isEmpty()) {
      return Optional.empty();
    }
    Map<TargetId, Integer> here = new HashMap<>();
    for (TargetId one : path) {
      int count = (int) path.stream().filter(other -> link.broken(one, other)).count();
      if (count > 0) {
        here.put(one, count);
      }
    }
    return here.keySet().stream()
        .filter(target -> serving.size() > 1 || !serving.contains(target))
        .max(
            Comparator.<TargetId>comparingInt(target -> here.getOrDefault(target, 0))
                .thenComparingInt(faults::of)
                .thenComparingInt(path::indexOf));
  }
}
