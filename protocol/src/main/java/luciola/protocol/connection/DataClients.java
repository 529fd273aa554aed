package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import org.jspecify.annotations.Nullable;

/**
 * Connections to many servers by address: made when first needed, made again after they broke, with
 * a growing wait between failed attempts during which calls fail at once with CONNECTION_LOST. A
 * further connection to a server is made when all others have calls in flight, up to {@code
 * connectionsPerServer}.
 */
public final class DataClients implements AutoCloseable {
  private final EventLoops loops;
  private final DataClientOptions options;
  private final Hello hello;
  private final Tickets tickets;
  private final @Nullable Tls tls;
  private final ConcurrentHashMap<Address, Server> servers = new ConcurrentHashMap<>();
  private volatile boolean closed;

  public DataClients(EventLoops loops, DataClientOptions options, Hello hello) {
    this(loops, options, hello, Tickets.NONE, null);
  }

  /**
   * Connections that show tickets.
   *
   * @param tls how they are encrypted; null: not
   */
  public DataClients(
      EventLoops loops,
      DataClientOptions options,
      Hello hello,
      Tickets tickets,
      @Nullable Tls tls) {
    this.loops = loops;
    this.options = options;
    this.hello = hello;
    this.tickets = tickets;
    this.tls = tls;
  }

  /** A connection to the server, the one with the fewest calls in flight. */
  public CompletableFuture<DataClient> client(String host, int port) {
    return servers.computeIfAbsent(new Address(host, port), Server::new).client();
  }

  /** A call on one of the connections to the server, see {@link DataClient#call}. */
  public <R extends Reply> CompletableFuture<R> call(
      String host,
      int port,
      Request request,
      Class<R> replyType,
      List<MemorySegment> payload,
      ReplyPayload destination,
      Duration timeout) {
    return client(host, port)
        .thenCompose(client -> client.call(request, replyType, payload, destination, timeout));
  }

  /** A call without payload either way. */
  public <R extends Reply> CompletableFuture<R> call(
      String host, int port, Request request, Class<R> replyType, Duration timeout) {
    return call(host, port, request, replyType, List.of(), ReplyPayload.NONE, timeout);
  }

  /** Closes every connection and makes no more. */
  @Override
  public void close() {
    closed = true;
    servers.values().forEach(Server::close);
  }

  private record Address(String host, int port) {}

  /** The connections to one server. */
  private final class Server {
    private final Address address;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<DataClient> open = new ArrayList<>();
    private @Nullable CompletableFuture<DataClient> connecting;
    private @Nullable Throwable lastFailure;
    private long backoffNanos;
    private long notBeforeNanos;

    Server(Address address) {
      this.address = address;
    }

    CompletableFuture<DataClient> client() {
      CompletableFuture<DataClient> begun;
      lock.lock();
      try {
        open.removeIf(client -> !client.isOpen());
        DataClient best =
            open.stream().min(Comparator.comparingInt(DataClient::callsInFlight)).orElse(null);
        boolean full = open.size() >= options.connectionsPerServer();
        if (best != null && (full || connecting != null || best.callsInFlight() == 0)) {
          return CompletableFuture.completedFuture(best);
        }
        if (connecting != null) {
          return connecting;
        }
        if (closed) {
          return CompletableFuture.failedFuture(lost("closed", null));
        }
        if (backoffNanos > 0 && System.nanoTime() - notBeforeNanos < 0) {
          return best != null
              ? CompletableFuture.completedFuture(best)
              : CompletableFuture.failedFuture(lost("waits after a failure", lastFailure));
        }
        begun = new CompletableFuture<>();
        connecting = begun;
        connect(begun);
        return best != null ? CompletableFuture.completedFuture(best) : begun;
      } finally {
        lock.unlock();
      }
    }

    /**
     * Every step of it is bounded; should one be lost all the same, others do not wait for ever.
     */
    private void connect(CompletableFuture<DataClient> begun) {
      CompletableFuture<DataClient> made =
          DataClient.connect(loops, options, address.host, address.port, hello, tickets, tls);
      var _ =
          made.copy()
              .orTimeout(2 * options.connectTimeout().toMillis(), TimeUnit.MILLISECONDS)
              .whenComplete((client, failure) -> {
                settle(client, failure);
                if (failure == null) {
                  begun.complete(client);
                } else {
                  begun.completeExceptionally(causeOf(failure));
                  var _ = made.thenAccept(DataClient::close);
                }
              });
    }

    private void settle(@Nullable DataClient client, @Nullable Throwable failure) {
      boolean late;
      lock.lock();
      try {
        connecting = null;
        lastFailure = failure;
        late = closed;
        if (client == null) {
          backoffNanos =
              Math.clamp(
                  backoffNanos * 2, options.backoffMin().toNanos(), options.backoffMax().toNanos());
          notBeforeNanos = System.nanoTime() + backoffNanos;
        } else {
          backoffNanos = 0;
          open.add(client);
        }
      } finally {
        lock.unlock();
      }
      if (late && client != null) {
        client.close();
      }
    }

    private Throwable causeOf(Throwable failure) {
      Throwable cause = failure;
      while (!(cause instanceof LuciolaException) && cause.getCause() != null) {
        cause = cause.getCause();
      }
      return cause instanceof LuciolaException ? cause : lost("failed", failure);
    }

    void close() {
      lock.lock();
      try {
        open.forEach(DataClient::close);
        open.clear();
      } finally {
        lock.unlock();
      }
    }

    private LuciolaException lost(String what, @Nullable Throwable cause) {
      return new LuciolaException(
          ErrorCode.CONNECTION_LOST,
          "connections to server: " + what + ": host=" + address.host + " port=" + address.port,
          cause);
    }
  }
}
