package luciola.meta.namespace.tree;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * An operation that POSIX refuses. Ordinary and frequent, so it carries no stack trace; it never
 * leaves the namespace: the reply carries its code and reason.
 */
public final class Refusal extends LuciolaException {
  private final String reason;

  public Refusal(ErrorCode code, String reason) {
    super(code, reason);
    this.reason = reason;
  }

  /** What was refused, with its operands. */
  public String reason() {
    return reason;
  }

  /** Throws unless a condition holds. */
  public static void unless(boolean holds, ErrorCode code, String reason) {
    if (!holds) {
      throw new Refusal(code, reason);
    }
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
