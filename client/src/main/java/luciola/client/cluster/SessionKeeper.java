package luciola.client.cluster;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RenewSessions;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the sessions of this client alive while it has any. */
final class SessionKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionKeeper.class);

  private final Names names;
  private final long renewNanos;
  private final AtomicInteger open = new AtomicInteger();
  private final Thread renewing;

  SessionKeeper(Names names, long renewNanos) {
    this.names = names;
    this.renewNanos = renewNanos;
    this.renewing = Thread.ofVirtual().name("sessions").start(this::renewAlways);
  }

  void began() {
    open.incrementAndGet();
  }

  void ended() {
    open.decrementAndGet();
  }

  private void renewAlways() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(Duration.ofNanos(renewNanos));
        if (open.get() > 0) {
          names.call(
              "renew sessions",
              "*",
              NamespaceRequest.newBuilder().setRenewSessions(RenewSessions.getDefaultInstance()));
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
