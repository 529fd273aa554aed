package luciola.protocol.error;

import org.jspecify.annotations.Nullable;

/**
 * A fault that reaches a caller: its code and a message that names the operation and its operands
 * as {@code name=value}. Unchecked, so that it travels through futures and lambdas unwrapped.
 */
public class LuciolaException extends RuntimeException {
  private final ErrorCode code;
  private final String detail;

  public LuciolaException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public LuciolaException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(code + ": " + message, cause);
    this.code = code;
    this.detail = message;
  }

  /** What went wrong. */
  public ErrorCode code() {
    return code;
  }

  /** The message without the code, for whoever raises it again or sends it on. */
  public String detail() {
    return detail;
  }
}
