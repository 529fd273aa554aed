package luciola.protocol.connection;

import java.time.Duration;

/**
 * Limits of the calling end.
 *
 * @param connectTimeout for the TCP connection and the Hello together
 * @param callsMax calls in flight on one connection; one more fails with OVERLOADED
 * @param connectionsPerServer connections that {@link DataClients} keeps to one server
 * @param backoffMin wait of {@link DataClients} after a first failed connection attempt
 * @param backoffMax longest wait between attempts; it doubles from {@code backoffMin}
 * @param socketBufferBytes send and receive buffer of the socket; 0 leaves it to the kernel
 */
public record DataClientOptions(
    Duration connectTimeout,
    int callsMax,
    int connectionsPerServer,
    Duration backoffMin,
    Duration backoffMax,
    int socketBufferBytes) {
  public static final DataClientOptions DEFAULTS =
      new DataClientOptions(
          Duration.ofSeconds(5), 1024, 2, Duration.ofMillis(50), Duration.ofSeconds(2), 0);

  public DataClientOptions {
    if (callsMax < 1 || connectionsPerServer < 1 || socketBufferBytes < 0) {
      throw new IllegalArgumentException(
          "bad client options: callsMax="
              + callsMax
              + " connectionsPerServer="
              + connectionsPerServer
              + " socketBufferBytes="
              + socketBufferBytes);
    }
    if (backoffMin.isNegative() || backoffMin.compareTo(backoffMax) > 0) {
      throw new IllegalArgumentException(
          "bad client options: backoffMin=" + backoffMin + " backoffMax=" + backoffMax);
    }
  }
}
