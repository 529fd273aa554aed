package luciola.storage.peer;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;

/** Calls to the servers of other targets, found by routing. */
public final class Peers {
  private final RoutingSource routing;
  private final Connector connections;
  private final Duration timeout;
  private final ConcurrentHashMap<TargetId, LongAdder> answers = new ConcurrentHashMap<>();

  public Peers(RoutingSource routing, Connector connections, Duration timeout) {
    this.routing = routing;
    this.connections = connections;
    this.timeout = timeout;
  }

  /** Gives the connection to a server, an open one or a new one. */
  @FunctionalInterface
  public interface Connector {
    /** Fails with CONNECTION_LOST. */
    CompletableFuture<DataClient> client(String host, int port);
  }

  /** The server of a target, as far as it is known. */
  Optional<StorageNode> node(TargetId target) {
    return routing.routing().nodeOf(target);
  }

  /** A connection to the server of a target; fails with CONNECTION_LOST. */
  CompletableFuture<DataClient> client(TargetId target) {
    Optional<StorageNode> node = node(target);
    return node.isEmpty()
        ? CompletableFuture.failedFuture(
            new LuciolaException(
                ErrorCode.CONNECTION_LOST, "server of target is not known: target=" + target))
        : connections.client(node.get().host(), node.get().port());
  }

  /** A call over a connection to the server of that target. */
  <R extends Reply> CompletableFuture<R> call(
      TargetId to, DataClient client, Request request, Class<R> type, List<MemorySegment> payload) {
    return counted(to, client.call(request, type, payload, ReplyPayload.NONE, timeout));
  }

  /** A call to the server of a target. */
  public <R extends Reply> CompletableFuture<R> call(TargetId to, Request request, Class<R> type) {
    return client(to).thenCompose(client -> call(to, client, request, type, List.of()));
  }

  <R extends Reply> CompletableFuture<R> call(
      TargetId to, Request request, Class<R> type, ReplyPayload destination) {
    return client(to)
        .thenCompose(
            client -> counted(to, client.call(request, type, List.of(), destination, timeout)));
  }

  private <R extends Reply> CompletableFuture<R> counted(TargetId to, CompletableFuture<R> call) {
    return call.whenComplete((reply, _) -> {
      if (reply != null) {
        answered(to);
      }
    });
  }

  /** The server of a target has answered something, whatever it said. */
  void answered(TargetId target) {
    answers.computeIfAbsent(target, _ -> new LongAdder()).increment();
  }

  /** How many answers have come from there. */
  long answers(TargetId target) {
    LongAdder count = answers.get(target);
    return count == null ? 0 : count.sum();
  }

  Duration timeout() {
    return timeout;
  }

  /** The code of a failed call. */
  public static ErrorCode codeOf(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof LuciolaException fault ? fault.code() : ErrorCode.INTERNAL;
  }
}
