package luciola.protocol.connection;

import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Hello;

/** The calling end on a TCP socket. */
final class SocketDataClient {
  private SocketDataClient() {}

  static CompletableFuture<DataClient> connect(
      EventLoops loops, DataClientOptions options, String host, int port, Hello hello) {
    return CompletableFuture.failedFuture(
        new LuciolaException(
            ErrorCode.UNSUPPORTED,
            "connect: epoll="
                + loops.channelType()
                + options
                + " host="
                + host
                + " port="
                + port
                + hello));
  }
}
