package luciola.simulation.check;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import org.jspecify.annotations.Nullable;

/**
 * Who serves a read or says what is committed is a serving member in the manager's own books at
 * that very time: whoever was taken out has stopped before. Who says what is committed is the head
 * there.
 *
 * <p>A member that steps down is on the write path until it was told; until it acts by the version
 * in which it does not serve it may go on, because nothing is committed without it.
 *
 * <p>A read takes effect when it is decided. What was decided so may still be answered after the
 * member was told, and after it was taken out because it was told: that is a matter of the lease
 * under which it was decided, and whoever is taken out for another reason has lost that.
 */
public final class OneAuthority {
  private static final String RULE = "OneAuthority";

  private final Map<Place, Step> steppedDown = new HashMap<>();

  private record Place(ChainId chain, TargetId target) {}

  /** The version with which a member stopped to serve, and whether it was the head. */
  private record Step(long version, boolean head, boolean left) {
    Step leaves() {
      return new Step(version, head, true);
    }
  }

  /** The manager's books change. */
  public void decided(Chain before, Chain after) {
    for (TargetId target : before.serving()) {
      boolean head = before.head().filter(target::equals).isPresent();
      steppedDown.put(
          new Place(after.id(), target), new Step(after.version().value(), head, false));
    }
    steppedDown.replaceAll((place, step) ->
        place.chain().equals(after.id()) && leaves(before, after, place.target())
            ? step.leaves()
            : step);
    steppedDown
        .entrySet()
        .removeIf(each ->
            each.getKey().chain().equals(after.id())
                && !each.getValue().left()
                && (!after.writePath().contains(each.getKey().target())
                    || after.serving().contains(each.getKey().target())));
  }

  private static boolean leaves(Chain before, Chain after, TargetId target) {
    return after.stateOf(target).isEmpty()
        && before.writePath().contains(target)
        && !before.serving().contains(target);
  }

  /**
   * A target serves a read.
   *
   * @param known the version that the target acts by
   */
  public void serves(TargetId target, Chain present, long known) {
    Step step = steppedDown(target, present, known);
    if (step == null && !present.serving().contains(target)) {
      throw new RuleBroken(
          RULE, "target=" + target + " serves a read, but the chain is " + present);
    }
  }

  /**
   * A target answers a read.
   *
   * @param known the version that the target acted by when it decided to serve it
   */
  public void answers(TargetId target, Chain present, long known) {
    Step step = steppedDown.get(new Place(present.id(), target));
    if (step == null || !step.left() || known >= step.version()) {
      serves(target, present, known);
    }
  }

  /**
   * A target says what is committed.
   *
   * @param known the version that the target acts by
   */
  public void decides(TargetId target, Chain present, long known) {
    Step step = steppedDown(target, present, known);
    if ((step == null || !step.head()) && present.head().filter(target::equals).isEmpty()) {
      throw new RuleBroken(
          RULE, "target=" + target + " says what is committed, but the chain is " + present);
    }
  }

  private @Nullable Step steppedDown(TargetId target, Chain present, long known) {
    Step step = steppedDown.get(new Place(present.id(), target));
    return step != null && !step.left() && known < step.version() ? step : null;
  }
}
