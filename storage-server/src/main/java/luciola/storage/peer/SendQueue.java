package luciola.storage.peer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;
import org.jspecify.annotations.Nullable;

/**
 * Requests of one chain to one target, sent in the order they were put although the payload of some
 * must be read from disk first. Belongs to the chain's lane.
 */
public final class SendQueue {
  private final TargetId to;
  private final Peers peers;
  private final Executor owner;
  private final ArrayDeque<Entry<?>> waiting = new ArrayDeque<>();
  private @Nullable DataClient client;
  private Optional<StorageNode> node = Optional.empty();
  private boolean connecting;

  public SendQueue(TargetId to, Peers peers, Executor owner) {
    this.to = to;
    this.peers = peers;
    this.owner = owner;
  }

  /** What goes out, once its payload is there. The buffer is released after the call. */
  public record Ready(Request request, PayloadBuffer payload) {}

  private record Entry<R extends Reply>(
      CompletableFuture<Ready> ready, Class<R> type, CompletableFuture<R> result) {}

  /** Sends behind what was put before; the result completes on any thread. */
  public <R extends Reply> CompletableFuture<R> put(CompletableFuture<Ready> ready, Class<R> type) {
    var result = new CompletableFuture<R>();
    waiting.add(new Entry<>(ready, type, result));
    drain();
    return result;
  }

  private void drain() {
    while (!waiting.isEmpty()) {
      Entry<?> first = waiting.element();
      if (!first.ready().isDone()) {
        var _ = first.ready().whenComplete((_, _) -> owner.execute(this::drain));
        return;
      }
      if (!first.ready().isCompletedExceptionally() && !connected()) {
        return;
      }
      send(waiting.remove());
    }
  }

  /** Whether there is a connection; asks for one if not. */
  private boolean connected() {
    DataClient open = client;
    Optional<StorageNode> home = peers.node(to);
    if (open != null && open.isOpen() && home.equals(node)) {
      return true;
    }
    if (!connecting) {
      connecting = true;
      node = home;
      var _ =
          peers
              .client(to)
              .whenComplete((made, failure) -> owner.execute(() -> connected(made, failure)));
    }
    return false;
  }

  private void connected(@Nullable DataClient made, @Nullable Throwable failure) {
    connecting = false;
    client = made;
    if (failure != null) {
      failAll(failure);
    }
    drain();
  }

  /** Without a connection nothing that waits has a chance. */
  private void failAll(Throwable failure) {
    while (!waiting.isEmpty()) {
      Entry<?> entry = waiting.remove();
      var _ = entry.ready().thenAccept(ready -> ready.payload().release());
      entry.result().completeExceptionally(failure);
    }
  }

  private <R extends Reply> void send(Entry<R> entry) {
    if (entry.ready().isCompletedExceptionally()) {
      entry.result().completeExceptionally(entry.ready().exceptionNow());
      return;
    }
    Ready ready = entry.ready().join();
    DataClient open = client;
    if (open == null) {
      throw new IllegalStateException("not connected: to=" + to);
    }
    List<MemorySegment> payload =
        ready.payload().bytes() == 0 ? List.of() : List.of(ready.payload().segment());
    try {
      var _ =
          peers
              .call(to, open, ready.request(), entry.type(), payload)
              .whenComplete((reply, failure) -> {
                ready.payload().release();
                if (failure == null) {
                  entry.result().complete(reply);
                } else {
                  entry.result().completeExceptionally(failure);
                }
              });
    } catch (LuciolaException | IllegalArgumentException e) {
      ready.payload().release();
      entry.result().completeExceptionally(e);
    }
  }
}
