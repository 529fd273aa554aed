package luciola.storage.server;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.TargetReport;
import luciola.grpc.v1.Timings;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.RoutingFeed;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports to the cluster manager and receives leases. A lease counts from before its heartbeat was
 * sent; routing that comes with a reply is handed on before the lease is.
 */
final class Membership implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  private final MetaConnection meta;
  private final RoutingFeed routing;
  private final long node;
  private final long incarnation;
  private final Timings timings;
  private final Supplier<List<TargetReport>> reports;
  private final Supplier<List<PeerReport>> unreachable;
  private final LongConsumer leases;
  private final Consumer<HeartbeatReply> told;
  private final Semaphore wanted = new Semaphore(0);
  private final Thread thread;
  private final CompletableFuture<Boolean> heard = new CompletableFuture<>();
  private volatile boolean closing;
  private long sequence;

  /**
   * Starts to report.
   *
   * @param reports what to say of each target
   * @param unreachable servers that do not answer this one
   * @param leases told the end of each lease, monotonic clock
   * @param told given each reply, for what operators want of the server
   */
  Membership(
      MetaConnection meta,
      RoutingFeed routing,
      long node,
      long incarnation,
      Timings timings,
      Supplier<List<TargetReport>> reports,
      Supplier<List<PeerReport>> unreachable,
      LongConsumer leases,
      Consumer<HeartbeatReply> told) {
    this.meta = meta;
    this.routing = routing;
    this.node = node;
    this.incarnation = incarnation;
    this.timings = timings;
    this.reports = reports;
    this.unreachable = unreachable;
    this.leases = leases;
    this.told = told;
    this.thread = Thread.ofVirtual().name("storage-heartbeat").start(this::run);
  }

  /** Waits until the manager has heard of this life; whether it has. */
  boolean awaitHeard(Duration timeout) {
    return heard.completeOnTimeout(false, timeout.toMillis(), TimeUnit.MILLISECONDS).join();
  }

  /** Reports soon. */
  void reportNow() {
    wanted.release();
  }

  private void run() {
    while (!closing) {
      try {
        heartbeat(reports.get(), unreachable.get());
      } catch (RuntimeException e) {
        log.warn("heartbeat failed node={} {}", node, e.getMessage());
      }
      try {
        var _ = wanted.tryAcquire(timings.getHeartbeatNanos(), TimeUnit.NANOSECONDS);
        wanted.drainPermits();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized void heartbeat(List<TargetReport> targets, List<PeerReport> silent) {
    HeartbeatRequest request =
        HeartbeatRequest.newBuilder()
            .setClusterId(meta.cluster().value())
            .setNodeId(node)
            .setIncarnation(incarnation)
            .setRoutingVersion(routing.routing().version().value())
            .setSequence(++sequence)
            .addAllTargets(targets)
            .addAllUnreachable(silent)
            .build();
    long sentNanos = System.nanoTime();
    HeartbeatReply reply = meta.heartbeat(request, timings.getLeaseNanos() / 2);
    told.accept(reply);
    // Without the routing that the manager knew of, this server could serve where it may no more.
    if (takeRouting(reply) && reply.getLeaseNanos() > 0) {
      leases.accept(sentNanos + reply.getLeaseNanos());
    }
    heard.complete(true);
  }

  private boolean takeRouting(HeartbeatReply reply) {
    if (!reply.hasRouting()) {
      return true;
    }
    try {
      routing.offer(reply.getRouting());
      return true;
    } catch (IllegalArgumentException | LuciolaException e) {
      log.warn("routing of a heartbeat was not usable {}", e.getMessage());
      routing.refresh();
      return false;
    }
  }

  /** Stops reporting; with a last word that says the targets are offline. */
  void leave(List<TargetReport> lastWord) {
    close();
    try {
      heartbeat(lastWord, List.of());
    } catch (RuntimeException e) {
      log.info("last heartbeat failed node={} {}", node, e.getMessage());
    }
  }

  @Override
  public void close() {
    closing = true;
    wanted.release();
    try {
      thread.join(TimeUnit.NANOSECONDS.toMillis(timings.getLeaseNanos()) + 1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
