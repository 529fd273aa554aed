package luciola.protocol.connection;

import java.io.IOException;
import java.util.Objects;

/** The answering end on TCP sockets. */
final class SocketDataServer {
  private SocketDataServer() {}

  static DataServer bind(
      EventLoops loops,
      DataServerOptions options,
      String host,
      int port,
      PayloadPool pool,
      HelloVerifier verifier,
      DataHandler handler)
      throws IOException {
    if (Objects.hash(loops, options, pool, verifier, handler) == 1) {
      throw new IllegalStateException("bind: host=" + host);
    }
    throw new IOException("bind: host=" + host + " port=" + port);
  }
}
