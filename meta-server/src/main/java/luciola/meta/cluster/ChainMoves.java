package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;

/**
 * How the members of a chain change while it serves: one safe step at a time towards the members
 * that are wanted. What reports say goes on as {@link ChainTransitions} has it whenever no step is
 * to be taken here.
 *
 * <pre>
 *  step     when                                                     what
 *  add      one serves, a wanted target is no member and may be      appended, offline
 *           added
 *  let go   every wanted target is a member, serves and says so      other serving members: syncing
 *  remove   the same, and the member is offline or waiting, or       no member any more
 *           syncing and told of the present version
 *  take out a serving member is to be out and enough others serve    syncing
 *  keep out such a member is syncing and told, or waiting            offline, however well it is
 * </pre>
 *
 * <p>A member that serves under a lease cannot just be struck off: until it learns of the new
 * version it would serve reads that the others have gone on from. It becomes syncing first, which
 * keeps it on the write path: no write of the new version completes before it has learned of it.
 * When it has reported that version it serves no more, and may leave.
 */
public final class ChainMoves {
  private ChainMoves() {}

  /**
   * The chain after one scan; the same object if nothing changes, else with the next version.
   *
   * @param syncingMax how many members may be filled at the same time, 1 or more
   * @param mayFill whether a member may begin to be filled as far as its target is concerned
   */
  public static Chain next(
      Chain chain,
      MemberReports reports,
      MemberWishes wishes,
      int syncingMax,
      Predicate<TargetId> mayFill) {
    List<ChainMember> moved = moved(chain, reports, wishes);
    if (!moved.equals(chain.members())) {
      return new Chain(chain.id(), chain.version().next(), moved);
    }
    return ChainTransitions.next(chain, keptOut(chain, reports, wishes), syncingMax, mayFill);
  }

  /** Whether a chain that has these members may have those others next, by what is wanted. */
  public static boolean allows(Chain before, Chain after, Set<TargetId> wanted) {
    Set<TargetId> had = targets(before);
    Set<TargetId> has = targets(after);
    boolean added =
        has.stream()
            .filter(target -> !had.contains(target))
            .allMatch(target ->
                wanted.contains(target)
                    && after.stateOf(target).orElseThrow() == PublicState.OFFLINE
                    && !before.serving().isEmpty());
    boolean removed =
        had.stream()
            .filter(target -> !has.contains(target))
            .allMatch(target ->
                !wanted.isEmpty()
                    && !wanted.contains(target)
                    && removable(before.stateOf(target).orElseThrow())
                    && after.serving().containsAll(wanted));
    return added && removed;
  }

  private static boolean removable(PublicState state) {
    return switch (state) {
      case SERVING, LAST_SERVING -> false;
      case SYNCING, WAITING, OFFLINE -> true;
    };
  }

  private static List<ChainMember> moved(Chain chain, MemberReports reports, MemberWishes wishes) {
    if (chain.serving().isEmpty()) {
      return chain.members();
    }
    Set<TargetId> present = targets(chain);
    List<ChainMember> added =
        wishes.wanted().stream()
            .filter(target -> !present.contains(target) && wishes.addable().contains(target))
            .sorted()
            .map(target -> new ChainMember(target, PublicState.OFFLINE))
            .toList();
    if (!added.isEmpty()) {
      return Stream.concat(chain.members().stream(), added.stream()).toList();
    }
    boolean complete = complete(chain, reports, wishes);
    Set<TargetId> leaving = leaving(chain, reports, wishes, complete);
    var next = new ArrayList<ChainMember>();
    for (ChainMember member : chain.members()) {
      boolean goes = !wishes.wanted().isEmpty() && !wishes.wanted().contains(member.target());
      boolean told = reports.told().contains(member.target());
      if (leaving.contains(member.target())) {
        next.add(new ChainMember(member.target(), PublicState.SYNCING));
      } else if (!goes
          || !complete
          || !removable(member.state())
          || (member.state() == PublicState.SYNCING && !told)) {
        next.add(member);
      }
    }
    next.sort(Comparator.comparing(ChainMember::state));
    return next;
  }

  /** Serving members that step down now. */
  private static Set<TargetId> leaving(
      Chain chain, MemberReports reports, MemberWishes wishes, boolean complete) {
    var leaving = new HashSet<TargetId>();
    if (complete) {
      chain.serving().stream()
          .filter(target -> !wishes.wanted().contains(target))
          .forEach(leaving::add);
    }
    long others =
        chain.serving().stream()
            .filter(target ->
                !leaving.contains(target)
                    && !wishes.out().containsKey(target)
                    && says(reports, target, LocalState.UP_TO_DATE))
            .count();
    chain.serving().stream()
        .filter(target -> others >= wishes.out().getOrDefault(target, Integer.MAX_VALUE))
        .forEach(leaving::add);
    return leaving;
  }

  /** Whether every wanted target serves now and will after this scan. */
  private static boolean complete(Chain chain, MemberReports reports, MemberWishes wishes) {
    return !wishes.wanted().isEmpty()
        && chain.serving().containsAll(wishes.wanted())
        && wishes.wanted().stream()
            .allMatch(target ->
                says(reports, target, LocalState.UP_TO_DATE) && !wishes.out().containsKey(target));
  }

  private static boolean says(MemberReports reports, TargetId target, LocalState state) {
    return reports.local().get(target) == state;
  }

  /** Members that are to be out are offline once they know that they do not serve. */
  private static MemberReports keptOut(Chain chain, MemberReports reports, MemberWishes wishes) {
    if (wishes.out().isEmpty() || chain.serving().isEmpty()) {
      return reports;
    }
    Map<TargetId, LocalState> local = new HashMap<>(reports.local());
    for (ChainMember member : chain.members()) {
      boolean out = wishes.out().containsKey(member.target());
      boolean told = reports.told().contains(member.target());
      boolean enough = chain.serving().size() >= wishes.out().getOrDefault(member.target(), 0);
      if (out && enough) {
        switch (member.state()) {
          case SERVING, LAST_SERVING -> {}
          case SYNCING -> {
            if (told) {
              local.put(member.target(), LocalState.OFFLINE);
            }
          }
          case WAITING, OFFLINE -> local.put(member.target(), LocalState.OFFLINE);
        }
      }
    }
    return new MemberReports(local, reports.told());
  }

  private static Set<TargetId> targets(Chain chain) {
    var targets = new HashSet<TargetId>();
    chain.members().forEach(member -> targets.add(member.target()));
    return targets;
  }
}
