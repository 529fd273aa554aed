package luciola.cli.terminal;

/** What a script sees of a command. */
public final class ExitCode {
  /** Everything asked for was done. */
  public static final int DONE = 0;

  /** Nothing of it was done, or it is not known how much. */
  public static final int FAILED = 1;

  /** The command line or the configuration was wrong; nothing was tried. */
  public static final int WRONG_USE = 2;

  /** Some of it was done and some was not; a line each says what was not. */
  public static final int PARTIAL = 3;

  private ExitCode() {}
}
