package luciola.protocol.connection;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The answering end: accepts connections, checks the Hello of each, receives requests with their
 * payloads into a {@link PayloadPool} and hands them to a {@link DataHandler}.
 */
public interface DataServer extends AutoCloseable {
  /**
   * Binds and serves until closed.
   *
   * @param port 0 for any free one
   * @param pool where payloads are received; stays the caller's, closed after the server
   * @throws IOException if the address cannot be bound
   */
  static DataServer bind(
      EventLoops loops,
      DataServerOptions options,
      String host,
      int port,
      PayloadPool pool,
      HelloVerifier verifier,
      DataHandler handler)
      throws IOException {
    return bind(
        loops, options, host, port, pool, verifier, RequestGate.Factory.OPEN, null, handler);
  }

  /**
   * The same, with a gate for each connection that every request passes before it is handled.
   *
   * @param tls how connections are encrypted; null: not
   */
  static DataServer bind(
      EventLoops loops,
      DataServerOptions options,
      String host,
      int port,
      PayloadPool pool,
      HelloVerifier verifier,
      RequestGate.Factory gates,
      @Nullable Tls tls,
      DataHandler handler)
      throws IOException {
    return SocketDataServer.bind(loops, options, host, port, pool, verifier, gates, tls, handler);
  }

  /** The port that was bound. */
  int port();

  /** Open connections. */
  int connections();

  /**
   * Closes gracefully: accepts and reads no more, lets calls in flight be answered and sent for at
   * most {@code grace}, then closes every connection. Blocks.
   */
  void close(Duration grace);

  /** Closes with a grace of five seconds. */
  @Override
  default void close() {
    close(Duration.ofSeconds(5));
  }
}
