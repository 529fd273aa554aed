package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
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

class ChainMovesTest {
  private static final @Nullable LocalState[] LOCALS = {
    LocalState.UP_TO_DATE, LocalState.OFFLINE, LocalState.ONLINE, null
  };

  private record Case(
      Chain before,
      Map<TargetId, LocalState> local,
      Set<TargetId> told,
      Set<TargetId> wanted,
      Map<TargetId, Integer> out) {}

  @Test
  void holdsEveryInvariantForEveryChainOfOneToThreeWithEveryWish() {
    int checked = 0;
    for (int size = 1; size <= 3; size++) {
      for (List<PublicState> states : statesInOrder(size)) {
        Chain before = chain(states);
        for (int local = 0; local < 1 << (2 * size); local++) {
          for (int told = 0; told < 1 << size; told += size == 3 ? 1 + told % 3 : 1) {
            for (int wanted = 0; wanted < 1 << (size + 2); wanted += size == 3 ? 3 : 1) {
              for (int out = 0; out <= size; out += 1 + wanted % size) {
                check(
                    new Case(
                        before,
                        locals(size, local),
                        subset(size, told),
                        subset(size + 2, wanted),
                        out == 0 ? Map.of() : Map.of(new TargetId(out), 1 + wanted % 2)));
                checked++;
              }
            }
          }
        }
      }
    }
    assertTrue(checked > 100_000);
  }

  @Test
  void holdsEveryInvariantForEveryChainOfFour() {
    for (List<PublicState> states : statesInOrder(4)) {
      Chain before = chain(states);
      for (int local = 0; local < 256; local++) {
        for (int told : new int[] {1 << local % 4, 15}) {
          for (int wanted = 0; wanted < 32; wanted += 5) {
            check(
                new Case(
                    before,
                    locals(4, local),
                    subset(4, told),
                    subset(5, wanted),
                    wanted % 2 == 0 ? Map.of(new TargetId(1 + local % 4), 2) : Map.of()));
          }
        }
      }
    }
  }

  private static void check(Case c) {
    var reports = new MemberReports(c.local(), c.told());
    Chain before = c.before();
    Chain after =
        ChainMoves.next(
            before, reports, new MemberWishes(c.wanted(), c.wanted(), c.out()), 1, _ -> true);
    Supplier<String> what = () -> c + " -> " + after;
    boolean changed = !after.members().equals(before.members());
    assertEquals(before.version().value() + (changed ? 1 : 0), after.version().value(), what);
    if (!changed) {
      assertSame(before, after, what);
      return;
    }
    assertTrue(ChainMoves.allows(before, after, c.wanted()), what);
    Set<TargetId> had = targets(before);
    Set<TargetId> has = targets(after);
    for (TargetId target : has) {
      if (!had.contains(target)) {
        assertTrue(c.wanted().contains(target) && !before.serving().isEmpty(), what);
        assertEquals(PublicState.OFFLINE, after.stateOf(target).orElseThrow(), what);
      }
    }
    for (ChainMember member : before.members()) {
      TargetId target = member.target();
      @Nullable LocalState said = c.local().get(target);
      if (!has.contains(target)) {
        assertTrue(
            !c.wanted().isEmpty()
                && !c.wanted().contains(target)
                && after.serving().containsAll(c.wanted())
                && c.wanted().stream().allMatch(up -> c.local().get(up) == LocalState.UP_TO_DATE)
                && member.state() != PublicState.SERVING
                && member.state() != PublicState.LAST_SERVING,
            what);
      }
      if (!before.serving().isEmpty()
          && member.state().receivesWrites()
          && !after.writePath().contains(target)) {
        assertTrue(
            member.state() == PublicState.SERVING
                ? said == LocalState.OFFLINE || said == LocalState.ONLINE
                : said == LocalState.OFFLINE || c.told().contains(target),
            what);
      }
      if (member.state() == PublicState.SERVING
          && after.stateOf(target).filter(PublicState.SYNCING::equals).isPresent()) {
        long sure =
            after.serving().stream()
                .filter(up -> c.local().get(up) == LocalState.UP_TO_DATE)
                .count();
        boolean moved = !c.wanted().isEmpty() && after.serving().containsAll(c.wanted());
        assertTrue(
            (moved && sure >= c.wanted().size())
                || sure >= c.out().getOrDefault(target, Integer.MAX_VALUE),
            what);
      }
    }
    if (!before.serving().isEmpty()) {
      assertTrue(
          !after.serving().isEmpty()
              || after.members().stream()
                  .anyMatch(member -> member.state() == PublicState.LAST_SERVING),
          what);
    }
    List<TargetId> stayed = after.members().stream().map(ChainMember::target).toList();
    for (PublicState state : PublicState.values()) {
      List<TargetId> order =
          before.members().stream()
              .filter(member ->
                  member.state() == state
                      && after.stateOf(member.target()).filter(state::equals).isPresent())
              .map(ChainMember::target)
              .toList();
      assertEquals(order, stayed.stream().filter(order::contains).toList(), what);
    }
  }

  @Test
  void everyPlanIsReachedWhenAllIsWellAndNeverWithFewerServing() {
    for (int from = 1; from < 32; from++) {
      for (int to = 1; to < 32; to++) {
        Set<TargetId> wanted = subset(5, to);
        var states = new ArrayList<ChainMember>();
        subset(5, from).stream()
            .sorted()
            .forEach(target -> states.add(new ChainMember(target, PublicState.SERVING)));
        Chain chain = new Chain(new ChainId(1), new ChainVersion(1), states);
        int fewest = Math.min(states.size(), wanted.size());
        for (int step = 0; step < 40; step++) {
          chain = stepWell(chain, wanted);
          assertTrue(chain.serving().size() >= fewest, chain::toString);
        }
        assertEquals(wanted, Set.copyOf(chain.serving()), "from=" + from + " to=" + to);
        assertEquals(wanted, targets(chain));
      }
    }
  }

  /** Every server does at once what the chain asks of it. */
  private static Chain stepWell(Chain chain, Set<TargetId> wanted) {
    var local = new HashMap<TargetId, LocalState>();
    for (ChainMember member : chain.members()) {
      local.put(
          member.target(),
          member.state().receivesWrites() ? LocalState.UP_TO_DATE : LocalState.ONLINE);
    }
    return ChainMoves.next(
        chain,
        new MemberReports(local, targets(chain)),
        new MemberWishes(wanted, wanted, Map.of()),
        2,
        _ -> true);
  }

  @Test
  void aMemberThatIsToBeOutGoesByTheWritePathAndStaysOffline() {
    Chain chain = chain(List.of(PublicState.SERVING, PublicState.SERVING));
    var wishes = new MemberWishes(Set.of(), Set.of(), Map.of(new TargetId(1), 1));
    var up = Map.of(new TargetId(1), LocalState.UP_TO_DATE, new TargetId(2), LocalState.UP_TO_DATE);
    Chain demoted = ChainMoves.next(chain, new MemberReports(up, Set.of()), wishes, 1, _ -> true);
    assertEquals(PublicState.SYNCING, demoted.stateOf(new TargetId(1)).orElseThrow());
    var online = Map.of(new TargetId(1), LocalState.ONLINE, new TargetId(2), LocalState.UP_TO_DATE);
    assertSame(
        demoted,
        ChainMoves.next(demoted, new MemberReports(online, Set.of()), wishes, 1, _ -> true));
    var told = new MemberReports(online, Set.of(new TargetId(1)));
    Chain out = ChainMoves.next(demoted, told, wishes, 1, _ -> true);
    assertEquals(PublicState.OFFLINE, out.stateOf(new TargetId(1)).orElseThrow());
    assertSame(out, ChainMoves.next(out, told, wishes, 1, _ -> true));
    Chain back = ChainMoves.next(out, told, MemberWishes.NONE, 1, _ -> true);
    assertEquals(PublicState.SYNCING, back.stateOf(new TargetId(1)).orElseThrow());
  }

  @Test
  void theLastThatServesIsNotTakenOut() {
    Chain chain = chain(List.of(PublicState.SERVING, PublicState.OFFLINE));
    var wishes = new MemberWishes(Set.of(), Set.of(), Map.of(new TargetId(1), 1));
    var up = Map.of(new TargetId(1), LocalState.UP_TO_DATE, new TargetId(2), LocalState.OFFLINE);
    assertSame(
        chain,
        ChainMoves.next(
            chain, new MemberReports(up, Set.of(new TargetId(1))), wishes, 1, _ -> true));
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

  private static Set<TargetId> subset(int size, int code) {
    var subset = new HashSet<TargetId>();
    for (int i = 0; i < size; i++) {
      if ((code >> i & 1) == 1) {
        subset.add(new TargetId(i + 1));
      }
    }
    return subset;
  }

  private static Set<TargetId> targets(Chain chain) {
    return new HashSet<>(chain.members().stream().map(ChainMember::target).toList());
  }
}
