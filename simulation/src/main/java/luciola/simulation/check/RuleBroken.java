package luciola.simulation.check;

/** A run did what must not happen. */
public final class RuleBroken extends RuntimeException {
  private final String rule;

  /** The rule's name and what was seen. */
  public RuleBroken(String rule, String seen) {
    super(rule + ": " + seen);
    this.rule = rule;
  }

  /** Which rule. */
  public String rule() {
    return rule;
  }
}
