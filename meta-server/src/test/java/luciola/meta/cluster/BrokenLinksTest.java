package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

/** Servers that live but do not reach each other. In every cluster here node n has target n. */
class BrokenLinksTest {
  private static final int LEASE_BEATS =
      (int) (LivingCluster.TIMINGS.leaseNanos() / LivingCluster.TIMINGS.heartbeatNanos());

  private static final int FAILURE_BEATS =
      (int) (LivingCluster.TIMINGS.failureNanos() / LivingCluster.TIMINGS.heartbeatNanos());

  @Test
  void inEveryChainWithEveryBrokenLinkTheRestReachesEachOther() {
    int checked = 0;
    for (int size = 1; size <= 4; size++) {
      for (List<PublicState> states : statesInOrder(size)) {
        for (int links = 0; links < 1 << 6; links++) {
          for (int faults = 0; faults < 4; faults++) {
            meetAll(chain(states), links, faults);
            checked++;
          }
        }
      }
    }
    assertTrue(checked > 10_000, "checked " + checked);
  }

  private static void meetAll(Chain chain, int links, int faults) {
    BrokenLinks.Link link =
        (one, other) -> !one.equals(other) && (links >> number(one, other) & 1) == 1;
    BrokenLinks.Faults more = target -> faults * (int) target.value() % 3;
    Set<TargetId> out = new HashSet<>();
    while (true) {
      Set<TargetId> before = Set.copyOf(out);
      List<TargetId> path =
          chain.writePath().stream().filter(target -> !before.contains(target)).toList();
      List<TargetId> serving =
          chain.serving().stream().filter(target -> !before.contains(target)).toList();
      Optional<TargetId> leaves = BrokenLinks.leaving(chain, before, link, more);
      Supplier<String> what = () -> chain + " links=" + links + " " + before + " -> " + leaves;
      if (leaves.isEmpty()) {
        assertTrue(
            serving.isEmpty()
                || path.stream()
                    .noneMatch(one -> path.stream().anyMatch(other -> link.broken(one, other))),
            what);
        return;
      }
      TargetId gone = leaves.get();
      assertTrue(path.contains(gone), what);
      assertFalse(serving.equals(List.of(gone)), what);
      long its = count(path, gone, link);
      assertTrue(its > 0, what);
      for (TargetId other : path) {
        assertTrue(count(path, other, link) <= its || serving.equals(List.of(other)), what);
      }
      out.add(gone);
    }
  }

  private static long count(List<TargetId> path, TargetId one, BrokenLinks.Link link) {
    return path.stream().filter(other -> link.broken(one, other)).count();
  }

  /** Each of the six pairs of four members has a bit. */
  private static int number(TargetId one, TargetId other) {
    long low = Math.min(one.value(), other.value());
    long high = Math.max(one.value(), other.value());
    return (int) ((high - 1) * (high - 2) / 2 + low - 1);
  }

  private static List<List<PublicState>> statesInOrder(int size) {
    List<List<PublicState>> all = new ArrayList<>();
    all.add(List.of());
    for (int i = 0; i < size; i++) {
      List<List<PublicState>> longer = new ArrayList<>();
      for (List<PublicState> states : all) {
        for (PublicState state : PublicState.values()) {
          if (states.isEmpty() || states.getLast().compareTo(state) <= 0) {
            var next = new ArrayList<>(states);
            next.add(state);
            longer.add(next);
          }
        }
      }
      all = longer;
    }
    return all;
  }

  private static Chain chain(List<PublicState> states) {
    var members = new ArrayList<ChainMember>();
    for (PublicState state : states) {
      members.add(new ChainMember(new TargetId(members.size() + 1), state));
    }
    return new Chain(new ChainId(1), new ChainVersion(7), members);
  }

  private static LivingCluster cluster(int nodes, int replicas) {
    var cluster = new LivingCluster(nodes);
    cluster.table(replicas, 1);
    cluster.pass(3);
    assertEquals(replicas, cluster.chain(1).serving().size());
    return cluster;
  }

  /** Neither gets an answer of the other. */
  private static void cutBoth(LivingCluster cluster, int one, int other) {
    cluster.cut(one, other);
    cluster.cut(other, one);
  }

  private static int at(LivingCluster cluster, int place) {
    return (int) cluster.chain(1).members().get(place).target().value();
  }

  private static PublicState state(LivingCluster cluster, int node) {
    return cluster.chain(1).stateOf(new TargetId(node)).orElseThrow();
  }

  @Test
  void aMemberThatNobodyReachesLeavesTheWritePathAndComesBackWhenItIsReached() {
    for (int place = 0; place < 3; place++) {
      LivingCluster cluster = cluster(3, 3);
      int cut = at(cluster, place);
      for (int other = 1; other <= 3; other++) {
        if (other != cut) {
          cutBoth(cluster, cut, other);
        }
      }
      cluster.pass(FAILURE_BEATS - 1);
      assertEquals(PublicState.SERVING, state(cluster, cut), "not before the failure time");
      cluster.pass(3);
      assertEquals(PublicState.OFFLINE, state(cluster, cut), "place " + place);
      assertEquals(2, cluster.chain(1).writePath().size());
      cluster.pass(10 * LEASE_BEATS);
      assertEquals(PublicState.OFFLINE, state(cluster, cut), "while it is cut off");
      cluster.mend();
      cluster.pass(LEASE_BEATS - 1);
      assertEquals(PublicState.OFFLINE, state(cluster, cut), "for a hold time");
      cluster.pass(4);
      assertEquals(3, cluster.chain(1).serving().size(), "place " + place);
    }
  }

  @Test
  void whoFlapsStaysOutTwiceAsLongEachTime() {
    LivingCluster cluster = cluster(3, 3);
    int cut = at(cluster, 1);
    int out = 0;
    for (int time = 1; time <= 3; time++) {
      cutBoth(cluster, cut, at(cluster, 0));
      cutBoth(
          cluster,
          cut,
          at(cluster, cluster.chain(1).members().size() - 1) == cut
              ? at(cluster, 1)
              : at(cluster, 2));
      cluster.pass(FAILURE_BEATS + 3);
      assertEquals(PublicState.OFFLINE, state(cluster, cut), "time " + time);
      cluster.mend();
      int beats = 0;
      while (state(cluster, cut) != PublicState.SERVING) {
        cluster.pass(1);
        beats++;
        assertTrue(beats < 1000, "never comes back");
      }
      assertTrue(beats >= (LEASE_BEATS << (time - 1)), "time " + time + ": " + beats);
      assertTrue(beats > out, "time " + time + ": " + beats + " after " + out);
      out = beats;
    }
    // Well for long enough it begins anew.
    cluster.pass(32 * LEASE_BEATS);
    cutBoth(cluster, cut, at(cluster, 0));
    cutBoth(cluster, cut, at(cluster, 1));
    cluster.pass(FAILURE_BEATS + 3);
    cluster.mend();
    cluster.pass(LEASE_BEATS + 4);
    assertEquals(PublicState.SERVING, state(cluster, cut));
  }

  @Test
  void oneOfTwoThatAccuseEachOtherLeavesTheLaterOneAndNeverBoth() {
    LivingCluster cluster = cluster(2, 2);
    int head = at(cluster, 0);
    cutBoth(cluster, 1, 2);
    cluster.pass(20 * LEASE_BEATS);
    assertEquals(List.of(new TargetId(head)), cluster.chain(1).writePath());
  }

  @Test
  void oneDirectionIsEnoughAndTheOneWithMoreBrokenLinksLeaves() {
    LivingCluster cluster = cluster(4, 3);
    // The head gets answers of nobody, nobody else has anything to say.
    int head = at(cluster, 0);
    for (int other = 1; other <= 4; other++) {
      if (other != head) {
        cluster.cut(head, other);
      }
    }
    cluster.pass(FAILURE_BEATS + 3);
    assertEquals(PublicState.OFFLINE, state(cluster, head));
    assertEquals(2, cluster.chain(1).serving().size());
  }

  @Test
  void oneMemberOfAChainStepsDownInALeaseTime() {
    LivingCluster cluster = cluster(4, 4);
    cutBoth(cluster, at(cluster, 0), at(cluster, 1));
    cutBoth(cluster, at(cluster, 2), at(cluster, 3));
    int serving = 4;
    for (int beat = 0; beat < FAILURE_BEATS + 3 * LEASE_BEATS; beat++) {
      cluster.pass(1);
      int now = cluster.chain(1).serving().size();
      assertTrue(now >= serving - 1, "two at once");
      serving = now;
      if (beat == FAILURE_BEATS + 2) {
        assertEquals(3, now);
      }
    }
    assertEquals(2, serving);
  }

  @Test
  void silenceOfADeadServerIsNoMatterOfLinks() {
    LivingCluster cluster = cluster(3, 3);
    int dead = at(cluster, 1);
    cluster.silent.add(dead);
    cluster.cut(at(cluster, 0), dead);
    cluster.cut(at(cluster, 2), dead);
    cluster.pass(LEASE_BEATS + 3);
    assertEquals(PublicState.SERVING, state(cluster, dead), "it may only be paused");
    cluster.pass(2 * LEASE_BEATS);
    assertEquals(PublicState.OFFLINE, state(cluster, dead));
    assertEquals(2, cluster.chain(1).serving().size());
  }

  @Test
  void aShortSilenceChangesNothing() {
    LivingCluster cluster = cluster(3, 3);
    Chain before = cluster.chain(1);
    for (int time = 0; time < 5; time++) {
      cutBoth(cluster, 1, 2);
      cutBoth(cluster, 2, 3);
      cluster.pass(FAILURE_BEATS - 1);
      cluster.mend();
      cluster.pass(1);
    }
    assertEquals(before, cluster.chain(1));
  }

  @Test
  void aNewLeaderDecidesTheSame() {
    LivingCluster cluster = cluster(3, 3);
    int cut = at(cluster, 2);
    cutBoth(cluster, cut, at(cluster, 0));
    cutBoth(cluster, cut, at(cluster, 1));
    cluster.pass(FAILURE_BEATS + 3);
    assertEquals(PublicState.OFFLINE, state(cluster, cut));
    cluster.newLeader();
    cluster.pass(4);
    assertEquals(2, cluster.chain(1).writePath().size());
    assertEquals(PublicState.OFFLINE, state(cluster, cut));
  }

  @Test
  void operatorsSeeWhy() {
    LivingCluster cluster = cluster(3, 3);
    cluster.cut(1, 3);
    cluster.pass(FAILURE_BEATS + 1);
    String reason =
        cluster.manager.targetStatuses(cluster.now).stream()
            .filter(status -> status.getTargetId() == 3)
            .findFirst()
            .orElseThrow()
            .getReason();
    assertEquals("no connection between its server and node 1", reason);
  }
}
