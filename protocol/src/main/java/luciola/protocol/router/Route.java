package luciola.protocol.router;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import luciola.protocol.error.CallerAction;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.router.ChunkRouter.Replica;
import luciola.protocol.router.Step.GiveUp;
import luciola.protocol.router.Step.RefreshRouting;
import luciola.protocol.router.Step.Send;
import luciola.protocol.router.Step.WaitUntil;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way, from the first attempt to the answer or to giving up.
 *
 * <p>What follows a failure (see {@link CallerAction}):
 *
 * <table>
 * <caption>next step by action and kind of request</caption>
 * <tr><th>action</th><th>update</th><th>read</th></tr>
 * <tr><td>RETRY</td><td>newer routing or a wait, then the head</td>
 *     <td>another replica at once; when all are tried, as an update</td></tr>
 * <tr><td>REFRESH_ROUTING</td><td>newer routing or a wait, then the head</td>
 *     <td>the same as RETRY</td></tr>
 * <tr><td>OTHER_REPLICA</td><td>newer routing or a wait, then the head</td>
 *     <td>another replica at once; when all of them answer so often enough, give up</td></tr>
 * <tr><td>GIVE_UP, STOP</td><td colspan="2">give up</td></tr>
 * </table>
 *
 * <p>A wait always ends early when newer routing comes: after the death of a head nothing but a new
 * chain helps. An update keeps its tag through all attempts, so each of them is safe; reads have no
 * effect.
 */
public final class Route {
  /** In place of a chunk's number: any replica is as good. */
  static final long NO_CHUNK = -1;

  private final ChunkRouter router;
  private final ChainId chain;
  private final boolean read;
  private final long bytes;
  private final long chunk;
  private final long deadlineNanos;
  private final RouterLimits limits;
  private Set<TargetId> tried = Set.of();

  private @Nullable Send sent;
  private ErrorCode lastError = ErrorCode.OK;
  private int failures;
  private int waits;
  private int roundsOfBadData;
  private boolean badDataOnly = true;

  Route(
      ChunkRouter router,
      ChainId chain,
      boolean read,
      long bytes,
      long chunk,
      long nowNanos,
      RouterLimits limits) {
    this.router = router;
    this.chain = chain;
    this.read = read;
    this.bytes = bytes;
    this.chunk = chunk;
    this.limits = limits;
    this.deadlineNanos = nowNanos + limits.deadlineNanos();
  }

  /** The chain that the request is for. */
  public ChainId chain() {
    return chain;
  }

  /** Attempts that failed. */
  public int failures() {
    return failures;
  }

  /** The first step, and the one after a wait or a refresh. */
  public Step next(Routing routing, long nowNanos) {
    if (sent != null) {
      throw new IllegalStateException("an attempt is under way: chain=" + chain + " sent=" + sent);
    }
    if (nowNanos - deadlineNanos >= 0) {
      return giveUp(lastError == ErrorCode.OK ? ErrorCode.TIMED_OUT : lastError, routing);
    }
    Optional<Chain> known = routing.chain(chain);
    if (known.isEmpty()) {
      return pause(ErrorCode.UNKNOWN_CHAIN, routing, nowNanos);
    }
    Replica replica =
        read
            ? router.replica(routing, known.get(), tried, chunk, nowNanos)
            : head(routing, known.get());
    if (replica == null) {
      return pause(
          known.get().head().isEmpty() || lastError == ErrorCode.OK
              ? ErrorCode.NO_SERVING_REPLICA
              : lastError,
          routing,
          nowNanos);
    }
    return send(replica, known.get(), nowNanos);
  }

  /** The attempt was answered with OK; the route is done. */
  public void succeeded() {
    StorageNode node = answered().node();
    router.load().trust(node.id());
  }

  /**
   * The attempt failed.
   *
   * @param code what the server answered; CONNECTION_LOST or TIMED_OUT where it did not;
   *     CHECKSUM_MISMATCH where the bytes that came do not match their checksums
   */
  public Step failed(ErrorCode code, Routing routing, long nowNanos) {
    Send attempt = answered();
    failures++;
    lastError = code;
    if (code == ErrorCode.CONNECTION_LOST || code == ErrorCode.TIMED_OUT) {
      router.load().avoid(attempt.node().id(), nowNanos + limits.avoidNanos());
    }
    return switch (code.action()) {
      case GIVE_UP, STOP, PROCEED -> giveUp(code, routing);
      case RETRY, REFRESH_ROUTING, FIND_LEADER, OTHER_REPLICA -> {
        badDataOnly &= code.action() == CallerAction.OTHER_REPLICA;
        trying().add(attempt.target());
        yield read ? otherReplica(routing, nowNanos) : pause(code, routing, nowNanos);
      }
    };
  }

  /** Ends the route without an answer, whatever its state: its load no longer counts. */
  public void abandon() {
    if (sent != null) {
      answered();
    }
  }

  private Set<TargetId> trying() {
    if (tried.isEmpty()) {
      tried = new HashSet<>();
    }
    return tried;
  }

  private Step otherReplica(Routing routing, long nowNanos) {
    Optional<Chain> known = routing.chain(chain);
    if (known.isPresent()
        && nowNanos - deadlineNanos < 0
        && router.replica(routing, known.get(), tried, chunk, nowNanos) != null) {
      return next(routing, nowNanos);
    }
    if (badDataOnly && ++roundsOfBadData >= limits.roundsMax()) {
      return giveUp(lastError, routing);
    }
    return pause(lastError, routing, nowNanos);
  }

  private Step pause(ErrorCode reason, Routing routing, long nowNanos) {
    lastError = reason;
    tried = Set.of();
    badDataOnly = true;
    if (nowNanos - deadlineNanos >= 0) {
      return giveUp(reason, routing);
    }
    long wait = router.backoffNanos(limits, ++waits);
    long until = nowNanos + Math.min(wait, deadlineNanos - nowNanos);
    return reason == ErrorCode.OVERLOADED
        ? new WaitUntil(until)
        : new RefreshRouting(routing.version(), until);
  }

  private Send send(Replica replica, Chain by, long nowNanos) {
    router.load().sent(replica.node().id(), bytes);
    long until = nowNanos + Math.min(limits.attemptNanos(), deadlineNanos - nowNanos);
    Send attempt = new Send(replica.node(), chain, by.version(), replica.target(), until);
    sent = attempt;
    return attempt;
  }

  private Send answered() {
    Send attempt = sent;
    if (attempt == null) {
      throw new IllegalStateException("no attempt is under way: chain=" + chain);
    }
    sent = null;
    router.load().answered(attempt.node().id(), bytes);
    return attempt;
  }

  private GiveUp giveUp(ErrorCode code, Routing routing) {
    return new GiveUp(
        code, "chain=" + chain + " failures=" + failures + " routing=" + routing.version());
  }

  private @Nullable Replica head(Routing routing, Chain chain) {
    return chain
        .head()
        .flatMap(target ->
            routing
                .nodeOf(target)
                .map(node -> new Replica(target, node, router.load().server(node.id()))))
        .orElse(null);
  }
}
