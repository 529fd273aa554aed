package luciola.protocol.control;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import luciola.grpc.v1.IdentifyReply;
import luciola.protocol.id.ClusterId;

/**
 * Finds out whether a meta-server that keeps a call waiting still leads: one that is paused or cut
 * off says nothing of it, and its connection stays. The others are asked; as soon as one of them
 * says that it leads itself, what waits at the silent one is ended and goes there. That one merely
 * names another is not enough, for it may be the one that hears nothing. Any thread; nothing here
 * blocks.
 */
final class LeaderDoubt {
  /** A call that has waited for so long is in doubt. */
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Then the others are asked this often, once for all calls. */
  static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /** Tells whether an answer comes from the cluster that is meant. */
  interface Membership {
    boolean includes(ClusterId answered);
  }

  private final LeaderSearch leaders;
  private final Membership cluster;
  private long askedNanos = System.nanoTime() - AGAIN_NANOS;

  LeaderDoubt(LeaderSearch leaders, Membership cluster) {
    this.leaders = leaders;
    this.cluster = cluster;
  }

  /** Makes a call that blocks; the others are asked while it does. */
  <R> R whileWaiting(MetaEndpoint endpoint, Supplier<R> call) {
    Future<?> asking =
        ControlLoop.executor()
            .scheduleAtFixedRate(
                () -> about(endpoint), PATIENCE_NANOS, AGAIN_NANOS, TimeUnit.NANOSECONDS);
    try {
      return call.get();
    } finally {
      asking.cancel(false);
    }
  }

  /** Something has waited for {@code endpoint} for long: asks the others, if it is time again. */
  void about(MetaEndpoint endpoint) {
    if (isTime()) {
      leaders
          .others(endpoint)
          .forEach(other ->
              other.ask(PATIENCE_NANOS, answer -> answered(endpoint, other.address(), answer)));
    }
  }

  private synchronized boolean isTime() {
    long now = System.nanoTime();
    // A little early is on time: the timers that call are no better.
    if (now - askedNanos < AGAIN_NANOS * 9 / 10) {
      return false;
    }
    askedNanos = now;
    return true;
  }

  private void answered(MetaEndpoint silent, String other, IdentifyReply answer) {
    if (answer.getClusterId() == 0 || !cluster.includes(new ClusterId(answer.getClusterId()))) {
      return;
    }
    if (answer.getLeader().equals(other)) {
      leaders.deposed(silent, other);
    } else if (!answer.getLeader().isEmpty()) {
      leaders.learn(answer.getLeader());
    }
  }
}
