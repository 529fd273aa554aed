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
 */
public final class OneAuthority {
  private static final String RULE = "OneAuthority";

  private final Map<Place, Step> steppedDown = new HashMap<>();

  private record Place(ChainId chain, TargetId target) {}

  /** The version with which a member stopped to serve, and whether it was the head. */
  private record Step(long version, boolean head) {}

  /** The manager's books change. */
  public void decided(Chain before, Chain after) {
    for (TargetId target : before.serving()) {
      boolean head = before.head().filter(target::equals).isPresent();
      steppedDown.put(new Place(after.id(), target), new Step(after.version().value(), head));
    }
    steppedDown
        .keySet()
        .removeIf(place ->
            place.chain().equals(after.id())
                && (!after.writePath().contains(place.target())
                    || after.serving().contains(place.target())));
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
    return step != null && known < step.version() ? step : null;
  }
}
