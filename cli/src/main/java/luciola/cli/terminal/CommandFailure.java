package luciola.cli.terminal;

import org.jspecify.annotations.Nullable;

/** Ends a command with one line for the user, which says what to do, and an exit code. */
public final class CommandFailure extends RuntimeException {
  private final int exitCode;

  private CommandFailure(int exitCode, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** The command could not do its work. */
  public static CommandFailure failed(String message) {
    return new CommandFailure(ExitCode.FAILED, message, null);
  }

  /** Like {@link #failed(String)}, with the exception that {@code --verbose} shows. */
  public static CommandFailure failed(String message, Throwable cause) {
    return new CommandFailure(ExitCode.FAILED, message, cause);
  }

  /** The user asked for something that cannot be. */
  public static CommandFailure wrongUse(String message) {
    return new CommandFailure(ExitCode.WRONG_USE, message, null);
  }

  /** Part of the work is done. */
  public static CommandFailure partial(String message) {
    return new CommandFailure(ExitCode.PARTIAL, message, null);
  }

  public int exitCode() {
    return exitCode;
  }
}
