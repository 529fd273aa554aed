package luciola.simulation.check;

import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;

/**
 * Who serves a read or says what is committed is a serving member in the manager's own books at
 * that very time: whoever was taken out has stopped before. Who says what is committed is the head
 * there.
 */
public final class OneAuthority {
  private static final String RULE = "OneAuthority";

  /** A target serves a read. */
  public void serves(TargetId target, Chain present) {
    if (!present.serving().contains(target)) {
      throw new RuleBroken(
          RULE, "target=" + target + " serves a read, but the chain is " + present);
    }
  }

  /** A target says what is committed. */
  public void decides(TargetId target, Chain present) {
    if (present.head().filter(target::equals).isEmpty()) {
      throw new RuleBroken(
          RULE, "target=" + target + " says what is committed, but the chain is " + present);
    }
  }
}
