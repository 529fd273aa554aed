package luciola.protocol.connection;

import java.time.Duration;

/**
 * Limits of the answering end.
 *
 * @param callsMax unanswered calls of one connection; at this number it is not read any further
 * @param replyBytesMax payload of replies not yet sent on one connection; above it the connection
 *     is not read any further, so that a slow reader holds bounded memory
 * @param payloadWait how long a connection waits for pool memory before the request is answered
 *     with OVERLOADED and its payload thrown away (a bound, so that servers that forward to each
 *     other never wait for each other for ever)
 * @param updatesPercent share of the pool that clients' updates may take together; the rest is for
 *     what other servers forward, which frees memory elsewhere
 * @param helloTimeout a connection that has not said Hello by then is closed
 * @param socketBufferBytes send and receive buffer of the socket; 0 leaves it to the kernel
 */
public record DataServerOptions(
    int callsMax,
    long replyBytesMax,
    Duration payloadWait,
    int updatesPercent,
    Duration helloTimeout,
    int socketBufferBytes) {
  public static final DataServerOptions DEFAULTS =
      new DataServerOptions(1024, 256L << 20, Duration.ofSeconds(2), 60, Duration.ofSeconds(10), 0);

  public DataServerOptions {
    if (callsMax < 1 || replyBytesMax < 1 || socketBufferBytes < 0) {
      throw new IllegalArgumentException(
          "bad server options: callsMax="
              + callsMax
              + " replyBytesMax="
              + replyBytesMax
              + " socketBufferBytes="
              + socketBufferBytes);
    }
    if (updatesPercent < 1 || updatesPercent > 100) {
      throw new IllegalArgumentException("bad server options: updatesPercent=" + updatesPercent);
    }
  }
}
