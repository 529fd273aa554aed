package luciola.client.cluster;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RenewSessions;
import luciola.grpc.v1.SessionsRenewed;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the sessions and locks of this client alive while it has any. */
final class SessionKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionKeeper.class);

  private final Names names;
  private static final int RENEWALS_OF_A_LEASE = 5;

  private final long renewNanos;
  private final LockLease lease = new LockLease();
  private final AtomicInteger open = new AtomicInteger();
  private final Thread renewing;

  /** Until when every session is there for sure, by {@link System#nanoTime}; 0: not known. */
  private volatile long keptUntilNanos;

  /** Between two renewals: often enough for the lease, once it is known. */
  private volatile long pauseNanos;

  SessionKeeper(Names names, long renewNanos) {
    this.names = names;
    this.renewNanos = renewNanos;
    this.pauseNanos = renewNanos;
    this.renewing = Thread.ofVirtual().name("sessions").start(this::renewAlways);
  }

  void began() {
    open.incrementAndGet();
  }

  void ended() {
    open.decrementAndGet();
  }

  /** How long the locks are this client's. */
  LockLease lease() {
    return lease;
  }

  /** Whether the sessions that were open at the last renewal are there still, for sure. */
  boolean areKept() {
    long until = keptUntilNanos;
    return until != 0 && System.nanoTime() - until < 0;
  }

  /** Renews now. */
  void renew() {
    long sentNanos = System.nanoTime();
    long session = lease.session();
    SessionsRenewed renewed =
        names
            .call(
                "renew sessions",
                "*",
                NamespaceRequest.newBuilder().setRenewSessions(RenewSessions.getDefaultInstance()))
            .getSessions();
    if (renewed.getLeaseNanos() > 0) {
      pauseNanos = Math.min(renewNanos, renewed.getLeaseNanos() / RENEWALS_OF_A_LEASE + 1);
    }
    keptUntilNanos = renewed.getLeaseNanos() == 0 ? 0 : sentNanos + renewed.getLeaseNanos();
    lease.renewed(session, renewed.getLockSession(), sentNanos + renewed.getLeaseNanos());
  }

  private void renewAlways() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(Duration.ofNanos(pauseNanos));
        if (open.get() > 0) {
          renew();
        }
      } catch (LuciolaException e) {
        LOG.warn("sessions not renewed: open={} error={}", open.get(), e.getMessage());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  @Override
  public void close() {
    renewing.interrupt();
  }
}
