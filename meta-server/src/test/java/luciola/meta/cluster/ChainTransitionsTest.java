package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChainTransitionsTest {
  private static final @Nullable LocalState[] LOCALS = {
    null, LocalState.UP_TO_DATE, LocalState.ONLINE, LocalState.OFFLINE
  };

  @Test
  void holdsEveryInvariantForEveryChainOfOneToFour() {
    int checked = 0;
    for (int size = 1; size <= 4; size++) {
      for (List<PublicState> states : statesInOrder(size)) {
        for (int locals = 0; locals < 1 << (2 * size); locals++) {
          for (int syncingMax = 1; syncingMax <= 2; syncingMax++) {
            for (int told = 0; told < 1 << size; told++) {
              check(chain(states), locals(size, locals), told(size, told), syncingMax);
              checked++;
            }
          }
        }
      }
    }
    assertEquals(2 * (5 * 8 + 15 * 64 + 35 * 512 + 70 * 4096), checked);
  }

  private static void check(
      Chain before, Map<TargetId, LocalState> local, Set<TargetId> told, int syncingMax) {
    Chain after =
        ChainTransitions.next(before, new MemberReports(local, told), syncingMax, _ -> true);
    Supplier<String> what = () -> before + " " + local + " told=" + told + " -> " + after;

    for (ChainMember member : before.members()) {
      // Who may still believe that it serves stays on the write path until it is told or gone.
      if (member.state() == PublicState.SYNCING
          && !after.writePath().contains(member.target())
          && before.head().isPresent()) {
        assertTrue(
            told.contains(member.target()) || local.get(member.target()) == LocalState.OFFLINE,
            what);
      }
    }

    boolean changed = !after.members().equals(before.members());
    assertEquals(before.version().value() + (changed ? 1 : 0), after.version().value(), what);
    if (!changed) {
      assertSame(before, after, what);
    }
    assertEquals(targets(before), targets(after), what);

    boolean served = !before.serving().isEmpty();
    // With nobody left to serve, it waits for syncing members that may not know where they are.
    boolean waits =
        !changed
            && before.serving().stream()
                .noneMatch(target ->
                    local.get(target) == null || local.get(target) == LocalState.UP_TO_DATE)
            && before.members().stream()
                .anyMatch(member ->
                    member.state() == PublicState.SYNCING
                        && local.get(member.target()) != LocalState.OFFLINE
                        && !told.contains(member.target()));
    if (waits) {
      return;
    }
    boolean serves = !after.serving().isEmpty();
    if (served || count(before, PublicState.LAST_SERVING) > 0) {
      assertTrue(serves || count(after, PublicState.LAST_SERVING) > 0, what);
    }
    if (serves) {
      assertEquals(0, count(after, PublicState.LAST_SERVING), what);
    } else {
      assertEquals(0, count(after, PublicState.SYNCING), what);
    }
    assertTrue(
        count(after, PublicState.SYNCING)
            <= Math.max(syncingMax, count(before, PublicState.SYNCING)),
        what);
    long revived = 0;
    for (ChainMember member : after.members()) {
      PublicState was = before.stateOf(member.target()).orElseThrow();
      LocalState reported = local.get(member.target());
      switch (member.state()) {
        case SERVING -> {
          assertTrue(
              switch (was) {
                case SERVING -> reported == null || reported == LocalState.UP_TO_DATE;
                case SYNCING, LAST_SERVING -> reported == LocalState.UP_TO_DATE;
                case WAITING, OFFLINE -> false;
              },
              what);
          revived += was == PublicState.LAST_SERVING ? 1 : 0;
        }
        case LAST_SERVING ->
            assertTrue(was == PublicState.SERVING || was == PublicState.LAST_SERVING, what);
        case SYNCING, WAITING ->
            assertTrue(
                was != PublicState.SERVING
                    && (reported == LocalState.ONLINE
                        || reported == LocalState.UP_TO_DATE
                        || (reported == null
                            && (was == PublicState.SYNCING || was == PublicState.WAITING))),
                what);
        case OFFLINE ->
            assertTrue(
                reported == LocalState.OFFLINE
                    || (reported == LocalState.ONLINE && was == PublicState.SERVING)
                    || (reported == null
                        && (was == PublicState.OFFLINE || was == PublicState.LAST_SERVING)),
                what);
      }
    }
    assertTrue(revived <= 1 && (revived == 0 || !served), what);
    if (revived == 1) {
      assertEquals(
          before.members().stream()
              .filter(member ->
                  member.state() == PublicState.LAST_SERVING
                      && local.get(member.target()) == LocalState.UP_TO_DATE)
              .findFirst()
              .orElseThrow()
              .target(),
          after.serving().getFirst(),
          what);
    }
    // Order of members that keep their state is kept.
    for (PublicState state : PublicState.values()) {
      assertEquals(
          before.members().stream()
              .map(ChainMember::target)
              .filter(target -> after.stateOf(target).orElseThrow() == state)
              .toList(),
          after.members().stream()
              .filter(member -> member.state() == state)
              .map(ChainMember::target)
              .toList(),
          what);
    }
  }

  @Test
  void everyServingMemberThatGoesAwayTogetherIsLastServing() {
    Chain chain = chain(List.of(PublicState.SERVING, PublicState.SERVING, PublicState.SYNCING));
    Chain stopped = next(chain, all(LocalState.OFFLINE, 3));
    assertEquals(
        List.of(PublicState.LAST_SERVING, PublicState.LAST_SERVING, PublicState.OFFLINE),
        states(stopped));

    Chain revived = next(stopped, all(LocalState.UP_TO_DATE, 3));
    assertEquals(
        List.of(PublicState.SERVING, PublicState.SYNCING, PublicState.WAITING), states(revived));
    assertEquals(new TargetId(1), revived.serving().getFirst());
    assertEquals(new ChainVersion(9), revived.version());
  }

  @Test
  void anyOneOfTheLastToServeBringsTheChainBack() {
    Chain stopped = chain(Collections.nCopies(3, PublicState.LAST_SERVING));
    for (int first = 1; first <= 3; first++) {
      var local = all(LocalState.OFFLINE, 3);
      local.put(new TargetId(first), LocalState.UP_TO_DATE);
      assertEquals(List.of(new TargetId(first)), next(stopped, local).serving());
    }
  }

  @Test
  void severalMembersAreFilledAtOnceAsFarAsTheirTargetsMay() {
    Chain chain =
        chain(
            List.of(
                PublicState.SERVING,
                PublicState.WAITING,
                PublicState.WAITING,
                PublicState.WAITING));
    var reports = new MemberReports(all(LocalState.UP_TO_DATE, 4), targets(chain));
    Chain after =
        ChainTransitions.next(chain, reports, 2, target -> !target.equals(new TargetId(2)));
    assertEquals(
        List.of(PublicState.SERVING, PublicState.SYNCING, PublicState.SYNCING, PublicState.WAITING),
        states(after));
    assertEquals(PublicState.WAITING, after.stateOf(new TargetId(2)).orElseThrow());
  }

  @Test
  void aChainStopsOnlyWhenItsSyncingMembersKnowThatTheyDoNotServe() {
    Chain chain = chain(List.of(PublicState.SERVING, PublicState.SYNCING));
    Map<TargetId, LocalState> local =
        Map.of(new TargetId(1), LocalState.OFFLINE, new TargetId(2), LocalState.ONLINE);
    assertSame(
        chain,
        ChainTransitions.next(
            chain, new MemberReports(local, Set.of(new TargetId(1))), 1, _ -> true));
    assertEquals(
        List.of(PublicState.LAST_SERVING, PublicState.WAITING), states(next(chain, local)));
  }

  @Test
  void followsTheTableOfTheDesign() {
    expect(PublicState.SERVING, LocalState.UP_TO_DATE, true, PublicState.SERVING);
    expect(PublicState.SYNCING, LocalState.UP_TO_DATE, true, PublicState.SERVING);
    for (LocalState alive : List.of(LocalState.UP_TO_DATE, LocalState.ONLINE)) {
      expect(PublicState.WAITING, alive, true, PublicState.SYNCING);
      expect(PublicState.OFFLINE, alive, true, PublicState.SYNCING);
      expect(PublicState.WAITING, alive, false, PublicState.WAITING);
      expect(PublicState.OFFLINE, alive, false, PublicState.WAITING);
    }
    expect(PublicState.LAST_SERVING, LocalState.UP_TO_DATE, false, PublicState.SERVING);
    expect(PublicState.SYNCING, LocalState.ONLINE, true, PublicState.SYNCING);
    expect(PublicState.SYNCING, LocalState.ONLINE, false, PublicState.WAITING);
    expect(PublicState.SERVING, LocalState.OFFLINE, true, PublicState.OFFLINE);
    expect(PublicState.SERVING, LocalState.OFFLINE, false, PublicState.LAST_SERVING);
    expect(PublicState.SYNCING, LocalState.OFFLINE, true, PublicState.OFFLINE);
    expect(PublicState.WAITING, LocalState.OFFLINE, true, PublicState.OFFLINE);
    expect(PublicState.OFFLINE, LocalState.OFFLINE, true, PublicState.OFFLINE);
  }

  /** One more member, up-to-date where it serves, gone where it does not. */
  private static void expect(
      PublicState now, LocalState local, boolean anotherServes, PublicState next) {
    var other =
        new ChainMember(new TargetId(7), anotherServes ? PublicState.SERVING : PublicState.OFFLINE);
    var members = new ArrayList<>(List.of(other, new ChainMember(new TargetId(1), now)));
    members.sort(Comparator.comparing(ChainMember::state));
    Chain after =
        next(
            new Chain(new ChainId(1), new ChainVersion(7), members),
            Map.of(
                new TargetId(7),
                anotherServes ? LocalState.UP_TO_DATE : LocalState.OFFLINE,
                new TargetId(1),
                local));
    assertEquals(next, after.stateOf(new TargetId(1)).orElseThrow(), now + " " + local);
  }

  /** Everybody knows the present version; one may sync. */
  private static Chain next(Chain chain, Map<TargetId, LocalState> local) {
    return ChainTransitions.next(chain, new MemberReports(local, targets(chain)), 1, _ -> true);
  }

  private static Set<TargetId> told(int size, int code) {
    var told = new HashSet<TargetId>();
    for (int i = 0; i < size; i++) {
      if ((code >> i & 1) == 1) {
        told.add(new TargetId(i + 1));
      }
    }
    return told;
  }

  private static Chain chain(List<PublicState> states) {
    var members = new ArrayList<ChainMember>();
    for (int i = 0; i < states.size(); i++) {
      members.add(new ChainMember(new TargetId(i + 1), states.get(i)));
    }
    return new Chain(new ChainId(1), new ChainVersion(7), members);
  }

  private static List<List<PublicState>> statesInOrder(int size) {
    if (size == 0) {
      return List.of(List.of());
    }
    var result = new ArrayList<List<PublicState>>();
    for (List<PublicState> shorter : statesInOrder(size - 1)) {
      for (PublicState last : PublicState.values()) {
        if (shorter.isEmpty() || shorter.getLast().compareTo(last) <= 0) {
          var longer = new ArrayList<>(shorter);
          longer.add(last);
          result.add(longer);
        }
      }
    }
    return result;
  }

  private static Map<TargetId, LocalState> locals(int size, int code) {
    var local = new HashMap<TargetId, LocalState>();
    for (int i = 0; i < size; i++) {
      LocalState reported = LOCALS[(code >> (2 * i)) & 3];
      if (reported != null) {
        local.put(new TargetId(i + 1), reported);
      }
    }
    return local;
  }

  private static Map<TargetId, LocalState> all(LocalState local, int size) {
    var all = new HashMap<TargetId, LocalState>();
    for (int i = 1; i <= size; i++) {
      all.put(new TargetId(i), local);
    }
    return all;
  }

  private static Set<TargetId> targets(Chain chain) {
    return new HashSet<>(chain.members().stream().map(ChainMember::target).toList());
  }

  private static List<PublicState> states(Chain chain) {
    return chain.members().stream().map(ChainMember::state).toList();
  }

  private static long count(Chain chain, PublicState state) {
    return chain.members().stream().filter(member -> member.state() == state).count();
  }
}
