package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import org.jspecify.annotations.Nullable;

/**
 * One connection to one storage-server, with many calls in flight. Any thread may call. Futures
 * complete on an event loop: what follows must not block there (use the {@code Async} variants or
 * join from a virtual thread).
 */
public interface DataClient extends AutoCloseable {
  /**
   * Connects and says Hello.
   *
   * @return the connection, or a failure with CONNECTION_LOST, TIMED_OUT or the server's code
   */
  static CompletableFuture<DataClient> connect(
      EventLoops loops, DataClientOptions options, String host, int port, Hello hello) {
    return connect(loops, options, host, port, hello, Tickets.NONE);
  }

  /**
   * The same, showing tickets.
   *
   * @param tickets what is shown with the Hello and with each request
   */
  static CompletableFuture<DataClient> connect(
      EventLoops loops,
      DataClientOptions options,
      String host,
      int port,
      Hello hello,
      Tickets tickets) {
    return connect(loops, options, host, port, hello, tickets, null);
  }

  /** The same, encrypted if {@code tls} is given. */
  static CompletableFuture<DataClient> connect(
      EventLoops loops,
      DataClientOptions options,
      String host,
      int port,
      Hello hello,
      Tickets tickets,
      @Nullable Tls tls) {
    return SocketDataClient.connect(loops, options, host, port, hello, tickets, tls);
  }

  /**
   * Sends a request and waits for its reply.
   *
   * <p>{@code payload} must stay valid and unchanged until the future completes, and so must the
   * destination; after that neither is touched. A reply that comes after the time-out is thrown
   * away. A call that times out before all of it was sent closes the connection. Do not complete or
   * cancel the future yourself: that frees neither.
   *
   * @param replyType the kind of reply that answers such a request
   * @param payload native segments, as many bytes together as the request's header implies
   * @return the reply, whatever its code; or a {@link luciola.protocol.error.LuciolaException} with
   *     CONNECTION_LOST, TIMED_OUT, OVERLOADED (too many in flight) or MALFORMED_FRAME
   * @throws IllegalArgumentException if the payload does not fit the request
   */
  <R extends Reply> CompletableFuture<R> call(
      Request request,
      Class<R> replyType,
      List<MemorySegment> payload,
      ReplyPayload destination,
      Duration timeout);

  /** A call without payload either way. */
  default <R extends Reply> CompletableFuture<R> call(
      Request request, Class<R> replyType, Duration timeout) {
    return call(request, replyType, List.of(), ReplyPayload.NONE, timeout);
  }

  /** What the server said to the Hello. */
  HelloReply peer();

  /** Whether new calls have a chance. */
  boolean isOpen();

  /** Calls without a reply yet. */
  int callsInFlight();

  /** Completes when the connection is gone, for whatever reason. */
  CompletableFuture<Void> closed();

  /** Closes the connection; calls in flight fail with CONNECTION_LOST. Does not wait. */
  @Override
  void close();
}
