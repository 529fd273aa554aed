package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Repeats a call at whichever meta-server leads until it is answered, its error is final or its
 * time is up. Any thread; methods block.
 */
final class LeaderCalls {
  /** What came of one attempt. */
  record Outcome<R>(R reply, ErrorCode code, String message, String leader) {
    static <R> Outcome<R> done(R reply) {
      return new Outcome<>(reply, ErrorCode.OK, "", "");
    }

    static <R> Outcome<R> of(R reply, int code, String message, String leader) {
      return new Outcome<>(reply, ErrorCode.ofNumber(code), message, leader);
    }
  }

  /** One attempt. */
  interface Attempt<R> {
    Outcome<R> at(MetaEndpoint endpoint, long attemptNanos);
  }

  /** One call on a channel. */
  interface Unary<R> {
    Outcome<R> on(ManagedChannel channel, long attemptNanos);
  }

  private final MetaOptions options;
  private final LeaderSearch leaders;
  private final LeaderDoubt doubt;

  LeaderCalls(MetaOptions options, LeaderSearch leaders, LeaderDoubt doubt) {
    this.options = options;
    this.leaders = leaders;
    this.doubt = doubt;
  }

  /** Makes a call that is no namespace call. */
  <R> R unary(String operation, long timeoutNanos, Unary<R> unary) {
    return repeat(
        operation,
        timeoutNanos,
        (endpoint, attemptNanos) -> {
          try {
            return doubt.whileWaiting(endpoint, () -> unary.on(endpoint.channel(), attemptNanos));
          } catch (StatusRuntimeException e) {
            throw endpoint.fault(operation, e);
          }
        });
  }

  /**
   * Makes attempts, with waits between them.
   *
   * @param timeoutNanos for all of them
   */
  <R> R repeat(String operation, long timeoutNanos, Attempt<R> attempt) {
    long deadlineNanos = System.nanoTime() + timeoutNanos;
    long wait = options.backoffMinNanos();
    LuciolaException lastFault = null;
    while (true) {
      MetaEndpoint endpoint = leaders.current();
      LuciolaException fault;
      try {
        // The last attempt may get very little time.
        long left = Math.max(1, deadlineNanos - System.nanoTime());
        Outcome<R> outcome = attempt.at(endpoint, Math.min(options.attemptNanos(), left));
        if (outcome.code() == ErrorCode.OK) {
          return outcome.reply();
        }
        fault = new LuciolaException(outcome.code(), outcome.message());
        follow(endpoint, outcome);
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.CANCELLED) {
          throw e;
        }
        fault = e;
        leaders.failed(endpoint);
      }
      switch (fault.code().action()) {
        case PROCEED, GIVE_UP, STOP, OTHER_REPLICA -> throw fault;
        case RETRY, REFRESH_ROUTING, FIND_LEADER -> {
          // That the time is up says less than what went wrong before.
          lastFault = fault.code() == ErrorCode.TIMED_OUT && lastFault != null ? lastFault : fault;
          if (System.nanoTime() - deadlineNanos >= 0) {
            throw new LuciolaException(
                lastFault.code(),
                operation
                    + ": meta="
                    + leaders.addresses()
                    + " timeoutNanos="
                    + timeoutNanos
                    + " cause="
                    + lastFault.getMessage(),
                lastFault);
          }
          pause(operation, Math.min(wait, Math.max(1, deadlineNanos - System.nanoTime())));
          wait = Math.min(2 * wait, options.backoffMaxNanos());
        }
      }
    }
  }

  private void follow(MetaEndpoint endpoint, Outcome<?> outcome) {
    switch (outcome.code().action()) {
      case FIND_LEADER, REFRESH_ROUTING -> leaders.redirected(endpoint, outcome.leader());
      case PROCEED, RETRY, OTHER_REPLICA, GIVE_UP, STOP -> {}
    }
  }

  private static void pause(String operation, long nanos) {
    try {
      Thread.sleep(Duration.ofNanos(nanos - ThreadLocalRandom.current().nextLong(nanos)));
    } catch (InterruptedException e) {
      throw interrupted(operation, e);
    }
  }

  static LuciolaException interrupted(String operation, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new LuciolaException(ErrorCode.CANCELLED, operation + ": interrupted", e);
  }
}
