package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of one chain (3FS design notes, section 2.4, with the differences below).
 *
 * <pre>
 *  local               public now        condition                              next
 *  up-to-date          serving                                                  serving
 *  up-to-date          syncing                                                  serving
 *  up-to-date, online  waiting, offline  one serves and a place to sync is free syncing
 *  up-to-date, online  waiting, offline  otherwise                              waiting
 *  up-to-date          last-serving      none serves, first such in the chain   serving
 *  up-to-date, online  last-serving      one serves                             syncing or waiting
 *  online, offline     last-serving      none serves or served until now        last-serving
 *  offline             last-serving      one serves                             offline
 *  online              syncing           one serves / none, and all told        syncing / waiting
 *  online, offline     serving           another serves                         offline
 *  online, offline     serving           none is left                           last-serving
 *  offline             others                                                   offline
 *  unknown             as now, as far as the other members allow
 * </pre>
 *
 * <p>"One serves" is meant after this step. All serving members that go away in one step become
 * last-serving together: each held every acknowledged write. When several of them are back at once
 * only the first becomes serving, because their unacknowledged writes may differ: the others are
 * filled from it. A server that restarted does not claim to be up to date as a serving member; one
 * that is merely online there is taken as gone.
 *
 * <p>A syncing member may have served until this chain version ({@link ChainMoves} lets members go
 * that way). It may serve reads under its lease until it learns of the version; that is safe
 * because no write completes without it as long as it is on the write path. So it leaves the write
 * path only when it has been told: when it reported the present version. A chain whose last serving
 * member goes away waits for that with everything it would change.
 *
 * <p>"Unknown" (no entry in the map) is a target that a new leader has not heard of yet: nothing is
 * taken from it and nothing is given to it.
 */
public final class ChainTransitions {
  private ChainTransitions() {}

  /**
   * The chain after one scan; the same object if nothing changes, else with the next version.
   *
   * @param reports what members say; a member without a local state is unknown
   * @param syncingMax how many members may be filled at the same time, 1 or more
   * @param mayFill whether a member may begin to be filled as far as its target is concerned
   */
  public static Chain next(
      Chain chain, MemberReports reports, int syncingMax, Predicate<TargetId> mayFill) {
    Map<TargetId, LocalState> local = reports.local();
    List<ChainMember> members = chain.members();
    @Nullable PublicState[] next = new PublicState[members.size()];
    boolean served = members.getFirst().state() == PublicState.SERVING;
    boolean serves =
        keepServing(members, local, next) || (!served && reviveOne(members, local, next));
    if (served && !serves && !allTold(members, reports)) {
      return chain;
    }
    int syncing = 0;
    for (int i = 0; i < next.length; i++) {
      if (next[i] == null) {
        next[i] =
            settle(members.get(i).state(), local.get(members.get(i).target()), served, serves);
        syncing += next[i] == PublicState.SYNCING ? 1 : 0;
      }
    }
    var changed = new ArrayList<ChainMember>(members.size());
    for (int i = 0; i < next.length; i++) {
      PublicState state = next[i];
      if (state == null) {
        boolean fill = serves && syncing < syncingMax && mayFill.test(members.get(i).target());
        state = fill ? PublicState.SYNCING : PublicState.WAITING;
        syncing += fill ? 1 : 0;
      }
      changed.add(new ChainMember(members.get(i).target(), state));
    }
    changed.sort(Comparator.comparing(ChainMember::state));
    return changed.equals(members) ? chain : new Chain(chain.id(), chain.version().next(), changed);
  }

  /** Whether every syncing member that lives knows that it does not serve. */
  private static boolean allTold(List<ChainMember> members, MemberReports reports) {
    return members.stream()
        .filter(member -> member.state() == PublicState.SYNCING)
        .map(ChainMember::target)
        .allMatch(target ->
            reports.local().get(target) == LocalState.OFFLINE || reports.told().contains(target));
  }

  private static boolean keepServing(
      List<ChainMember> members, Map<TargetId, LocalState> local, @Nullable PublicState[] next) {
    boolean serves = false;
    for (int i = 0; i < next.length; i++) {
      LocalState reported = local.get(members.get(i).target());
      boolean keeps =
          switch (members.get(i).state()) {
            case SERVING -> reported == null || reported == LocalState.UP_TO_DATE;
            case SYNCING -> reported == LocalState.UP_TO_DATE;
            case LAST_SERVING, WAITING, OFFLINE -> false;
          };
      if (keeps) {
        next[i] = PublicState.SERVING;
        serves = true;
      }
    }
    return serves;
  }

  private static boolean reviveOne(
      List<ChainMember> members, Map<TargetId, LocalState> local, @Nullable PublicState[] next) {
    for (int i = 0; i < next.length; i++) {
      if (members.get(i).state() == PublicState.LAST_SERVING
          && local.get(members.get(i).target()) == LocalState.UP_TO_DATE) {
        next[i] = PublicState.SERVING;
        return true;
      }
    }
    return false;
  }

  /** The next state of a member that does not serve next; null: it syncs or waits, by place. */
  private static @Nullable PublicState settle(
      PublicState now, @Nullable LocalState reported, boolean served, boolean serves) {
    boolean alive = reported == LocalState.ONLINE || reported == LocalState.UP_TO_DATE;
    return switch (now) {
      case SERVING -> serves ? PublicState.OFFLINE : PublicState.LAST_SERVING;
      case LAST_SERVING ->
          // One that served until now may hold acknowledged writes that this one has not.
          served || serves ? (alive ? null : PublicState.OFFLINE) : PublicState.LAST_SERVING;
      case SYNCING ->
          reported == LocalState.OFFLINE
              ? PublicState.OFFLINE
              : serves ? PublicState.SYNCING : PublicState.WAITING;
      case WAITING -> reported == null ? PublicState.WAITING : alive ? null : PublicState.OFFLINE;
      case OFFLINE -> alive ? null : PublicState.OFFLINE;
    };
  }
}
