package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.DataClients;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.connection.Tickets;
import luciola.protocol.connection.Tls;
import luciola.protocol.control.RoutingFeed;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import luciola.protocol.router.ChunkRouter;
import luciola.protocol.router.Route;
import luciola.protocol.router.RouterLimits;
import luciola.protocol.router.Step;
import org.jspecify.annotations.Nullable;

/**
 * The router with its hands: sends what it says, waits when it says so. The router's state is under
 * this object's monitor, held for short steps only. Any thread.
 */
final class DataPlane implements AutoCloseable {
  private final RoutingFeed feed;
  private final EventLoops loops;
  private final DataClients clients;
  private final ChunkRouter router;
  private final ExecutorService resumed = Executors.newVirtualThreadPerTaskExecutor();
  private boolean closed;

  DataPlane(
      RoutingFeed feed,
      ClusterId cluster,
      ClientId client,
      Tickets tickets,
      @Nullable Tls tls,
      RouterLimits limits,
      Optional<String> zone,
      int ioThreads) {
    this.feed = feed;
    this.loops = EventLoops.start("luciola-client", ioThreads);
    this.clients =
        new DataClients(
            loops,
            DataClientOptions.DEFAULTS,
            new Hello(cluster, Hello.PROTOCOL_VERSION, client.value()),
            tickets,
            tls);
    this.router = new ChunkRouter(limits, zone, () -> ThreadLocalRandom.current().nextLong());
  }

  RoutingFeed feed() {
    return feed;
  }

  synchronized Route readRoute(ChainId chain, ChunkId chunk, long bytes) {
    return router.toReplica(chain, chunk, bytes, System.nanoTime());
  }

  private synchronized Route headRoute(ChainId chain) {
    return router.toHead(chain, System.nanoTime());
  }

  synchronized Step next(Route route) {
    return closed ? cancelled(route) : route.next(feed.routing(), System.nanoTime());
  }

  synchronized Step failed(Route route, ErrorCode code) {
    return closed ? cancelled(route) : route.failed(code, feed.routing(), System.nanoTime());
  }

  private static Step cancelled(Route route) {
    route.abandon();
    return new Step.GiveUp(ErrorCode.CANCELLED, "client closed: chain=" + route.chain());
  }

  synchronized void succeeded(Route route) {
    route.succeeded();
  }

  /** Runs the task, on a virtual thread, when the wait is over. */
  void later(Step.WaitUntil wait, Runnable task) {
    var _ =
        new CompletableFuture<Boolean>()
            .completeOnTimeout(true, nanosUntil(wait.untilNanos()), TimeUnit.NANOSECONDS)
            .thenRun(() -> resume(task));
  }

  /** Runs the task, on a virtual thread, when there is newer routing or the wait is over. */
  void later(Step.RefreshRouting refresh, Runnable task) {
    feed.refresh();
    var _ =
        feed.newerThan(refresh.newerThan(), nanosUntil(refresh.untilNanos()))
            .thenRun(() -> resume(task));
  }

  private void resume(Runnable task) {
    try {
      resumed.execute(task);
    } catch (RejectedExecutionException closed) {
      task.run();
    }
  }

  /** One attempt. */
  <R extends Reply> CompletableFuture<R> send(
      Step.Send to,
      Request request,
      Class<R> type,
      List<MemorySegment> payload,
      ReplyPayload destination) {
    try {
      return clients.call(
          to.node().host(),
          to.node().port(),
          request,
          type,
          payload,
          destination,
          Duration.ofNanos(nanosUntil(to.untilNanos())));
    } catch (LuciolaException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** A request to the head of a chain, repeated as the router says, until OK or the deadline. */
  <R extends Reply> CompletableFuture<R> toHead(
      String operation,
      ChainId chain,
      Function<Step.Send, Request> request,
      Class<R> type,
      List<MemorySegment> payload) {
    HeadCall<R> call = new HeadCall<>(operation, headRoute(chain), request, type, payload);
    call.follow(next(call.route));
    return call.outcome;
  }

  private final class HeadCall<R extends Reply> {
    private final CompletableFuture<R> outcome = new CompletableFuture<>();
    private final String operation;
    private final Route route;
    private final Function<Step.Send, Request> request;
    private final Class<R> type;
    private final List<MemorySegment> payload;

    HeadCall(
        String operation,
        Route route,
        Function<Step.Send, Request> request,
        Class<R> type,
        List<MemorySegment> payload) {
      this.operation = operation;
      this.route = route;
      this.request = request;
      this.type = type;
      this.payload = payload;
    }

    void follow(Step step) {
      switch (step) {
        case Step.Send send -> attempt(send);
        case Step.WaitUntil wait -> later(wait, () -> follow(next(route)));
        case Step.RefreshRouting refresh -> later(refresh, () -> follow(next(route)));
        case Step.GiveUp end -> outcome.completeExceptionally(end.fault(operation));
      }
    }

    private void attempt(Step.Send send) {
      var _ =
          DataPlane.this
              .send(send, request.apply(send), type, payload, ReplyPayload.NONE)
              .whenComplete((reply, error) -> {
                ErrorCode code = error == null ? reply.code() : codeOf(error);
                if (code == ErrorCode.OK) {
                  succeeded(route);
                  outcome.complete(reply);
                } else {
                  follow(failed(route, code));
                }
              });
    }
  }

  /** The code of what a future failed with. */
  static ErrorCode codeOf(Throwable error) {
    Throwable cause =
        error instanceof CompletionException wrapper && wrapper.getCause() != null
            ? wrapper.getCause()
            : error;
    return cause instanceof LuciolaException fault ? fault.code() : ErrorCode.INTERNAL;
  }

  private static long nanosUntil(long whenNanos) {
    return Math.max(1, whenNanos - System.nanoTime());
  }

  /** From now on what fails is not tried again. */
  synchronized void stop() {
    closed = true;
  }

  @Override
  public void close() {
    stop();
    clients.close();
    resumed.shutdown();
    loops.close();
  }
}
