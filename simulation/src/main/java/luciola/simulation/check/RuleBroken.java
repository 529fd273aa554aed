package luciola.simulation.check;

/** A run did what must not happen. */
public final class RuleBroken extends RuntimeException {
  private final String rule;

  /** The rule's name and what was seen. */
  public RuleBroken(String rule, String seen) {
    super(rule + ": " + seen);
    this.rule = rule;
  }

  /** In words, that and where the program failed by itself. */
  public static String programFailed(RuntimeException broken) {
    for (StackTraceElement frame : broken.getStackTrace()) {
      if (frame.getClassName().startsWith("luciola.")) {
        return "the program failed: "
            + broken
            + " at "
            + frame.getFileName()
            + ":"
            + frame.getLineNumber();
      }
    }
    return "the program failed: " + broken;
  }

  /** Which rule. */
  public String rule() {
    return rule;
  }
}
