package luciola.protocol.router;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;

/** What the owner of a {@link Route} does next. */
public sealed interface Step {

  /**
   * Send the request to this target, with this chain version; then report {@link Route#succeeded},
   * or {@link Route#failed}.
   *
   * @param untilNanos when to stop waiting for the reply and report TIMED_OUT
   */
  record Send(
      StorageNode node, ChainId chain, ChainVersion chainVersion, TargetId target, long untilNanos)
      implements Step {}

  /** Call {@link Route#next} at that time. */
  record WaitUntil(long untilNanos) implements Step {}

  /**
   * Fetch routing; call {@link Route#next} as soon as some newer than {@code newerThan} is known,
   * or at {@code untilNanos} without.
   */
  record RefreshRouting(RoutingVersion newerThan, long untilNanos) implements Step {}

  /** The request has failed for good. */
  record GiveUp(ErrorCode code, String message) implements Step {
    /** As the fault to raise. */
    public LuciolaException fault(String operation) {
      return new LuciolaException(code, operation + ": " + message);
    }
  }
}
