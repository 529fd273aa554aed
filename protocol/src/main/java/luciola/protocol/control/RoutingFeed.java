package luciola.protocol.control;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.error.CallerAction;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.routing.Routing;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the newest routing: watches a meta-server, reconnects, and asks anew when somebody learned
 * that there is something newer. Versions never go back. Any thread.
 */
public final class RoutingFeed implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RoutingFeed.class);

  private final MetaConnection meta;
  private final List<Consumer<Routing>> listeners = new CopyOnWriteArrayList<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private final Thread watcher;
  private volatile Routing routing = Routing.EMPTY;
  private volatile boolean closed;
  private volatile @Nullable Watch watch;

  private RoutingFeed(MetaConnection meta) {
    this.meta = meta;
    this.watcher = Thread.ofVirtual().name("routing-feed").unstarted(this::watchAlways);
  }

  /** Fetches the routing once, then keeps it in the background until closed. */
  public static RoutingFeed start(MetaConnection meta) {
    RoutingFeed feed = new RoutingFeed(meta);
    feed.fetch();
    feed.watcher.start();
    return feed;
  }

  /** The newest known. */
  public Routing routing() {
    return routing;
  }

  /** Runs with every newer routing, on whatever thread brought it: must not block. */
  public void onChange(Consumer<Routing> listener) {
    listeners.add(listener);
  }

  /** Takes a change that came another way, with a heartbeat's reply for instance. */
  public void offer(RoutingUpdate update) {
    if (update.getVersion() > routing.version().value()) {
      apply(update);
    }
  }

  /** Asks a meta-server now, in the background; several wishes at a time are one question. */
  public void refresh() {
    if (!closed && refreshing.compareAndSet(false, true)) {
      Thread.ofVirtual().name("routing-refresh").start(this::refreshNow);
    }
  }

  private void refreshNow() {
    try {
      fetch();
    } catch (LuciolaException e) {
      LOG.debug("routing refresh failed: {}", e.getMessage());
    } finally {
      refreshing.set(false);
    }
  }

  /**
   * The routing as soon as it is newer than {@code version}, or whatever is known at the time-out.
   * Completes on any thread: what follows must not block there.
   */
  public CompletableFuture<Routing> newerThan(RoutingVersion version, long timeoutNanos) {
    Waiter waiter = new Waiter(version, new CompletableFuture<>());
    synchronized (waiters) {
      if (routing.version().compareTo(version) > 0) {
        return CompletableFuture.completedFuture(routing);
      }
      waiters.add(waiter);
    }
    CompletableFuture<Boolean> timer =
        new CompletableFuture<Boolean>()
            .completeOnTimeout(true, Math.max(1, timeoutNanos), TimeUnit.NANOSECONDS);
    var _ =
        timer.thenRun(() -> {
          synchronized (waiters) {
            waiters.remove(waiter);
          }
          waiter.newer.complete(routing);
        });
    return waiter.newer.whenComplete((_, _) -> timer.complete(true));
  }

  /** Like {@link #newerThan}, waiting for it. */
  public Routing awaitNewerThan(RoutingVersion version, long timeoutNanos) {
    return newerThan(version, timeoutNanos).join();
  }

  private record Waiter(RoutingVersion version, CompletableFuture<Routing> newer) {}

  private void fetch() {
    apply(meta.routing(request()));
  }

  private RoutingRequest request() {
    return RoutingRequest.newBuilder()
        .setClusterId(meta.cluster().value())
        .setKnownVersion(routing.version().value())
        .build();
  }

  private void apply(RoutingUpdate update) {
    List<Waiter> ready;
    Routing newest;
    synchronized (waiters) {
      Routing before = routing;
      newest = before.apply(RoutingMessages.fromMessage(update));
      if (newest.version().compareTo(before.version()) <= 0) {
        return;
      }
      routing = newest;
      Routing now = newest;
      ready = waiters.stream().filter(w -> now.version().compareTo(w.version) > 0).toList();
      waiters.removeAll(ready);
    }
    LOG.debug("routing: version={} chains={}", newest.version(), newest.chains().size());
    Routing now = newest;
    ready.forEach(waiter -> waiter.newer.complete(now));
    listeners.forEach(listener -> listener.accept(now));
  }

  private void watchAlways() {
    long wait = meta.options().backoffMinNanos();
    while (!closed) {
      boolean worked = false;
      try {
        worked = watchOnce();
      } catch (LuciolaException e) {
        LOG.debug("routing watch failed: {}", e.getMessage());
      }
      wait =
          worked
              ? meta.options().backoffMinNanos()
              : Math.min(2 * wait, meta.options().backoffMaxNanos());
      try {
        Thread.sleep(Duration.ofNanos(wait));
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Watches until the stream ends; whether anything came. */
  private boolean watchOnce() {
    MetaEndpoint endpoint = meta.watched();
    Watch open = new Watch();
    watch = open;
    if (closed) {
      return false;
    }
    ClusterGrpc.newStub(endpoint.channel()).watchRouting(request(), open);
    String leader = open.ended.join();
    if (!closed) {
      meta.watchFailed(endpoint, leader);
    }
    return open.worked;
  }

  @Override
  public void close() {
    closed = true;
    watcher.interrupt();
    Watch open = watch;
    if (open != null) {
      open.cancel();
    }
  }

  /** One stream of changes. */
  private final class Watch implements ClientResponseObserver<RoutingRequest, RoutingUpdate> {
    /** Completes with the leader that was named, or empty. */
    private final CompletableFuture<String> ended = new CompletableFuture<>();

    private volatile boolean worked;
    private volatile @Nullable ClientCallStreamObserver<RoutingRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<RoutingRequest> stream) {
      call = stream;
    }

    @Override
    public void onNext(RoutingUpdate update) {
      ErrorCode code = ErrorCode.ofNumber(update.getCode());
      if (code != ErrorCode.OK) {
        LOG.debug("routing watch refused: code={} message={}", code, update.getMessage());
        ended.complete(code.action() == CallerAction.FIND_LEADER ? update.getLeader() : "");
        cancel();
        return;
      }
      try {
        apply(update);
        worked = true;
      } catch (IllegalArgumentException | LuciolaException e) {
        LOG.warn("routing update refused: version={}", update.getVersion(), e);
        cancel();
      }
    }

    @Override
    public void onError(Throwable error) {
      LOG.debug("routing watch ended: status={}", Status.fromThrowable(error));
      ended.complete("");
    }

    @Override
    public void onCompleted() {
      ended.complete("");
    }

    void cancel() {
      ClientCallStreamObserver<RoutingRequest> open = call;
      if (open != null) {
        open.cancel("not wanted any more", null);
      }
      ended.complete("");
    }
  }
}
