package luciola.protocol.control;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * An address as {@code host:port}; an IPv6 address stands in brackets.
 *
 * @param host name or address, without brackets
 */
public record HostPort(String host, int port) {
  public HostPort {
    if (host.isEmpty() || port < 0 || port > 65535) {
      throw new IllegalArgumentException("bad address: host=" + host + " port=" + port);
    }
  }

  /**
   * Reads {@code host:port}.
   *
   * @throws LuciolaException INVALID_ARGUMENT if it is not one
   */
  public static HostPort parse(String text) {
    int colon = text.lastIndexOf(':');
    String host = colon < 0 ? "" : text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      host = "";
    }
    try {
      return new HostPort(host, Integer.parseInt(text.substring(colon + 1)));
    } catch (IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "not an address of the form host:port: " + text, e);
    }
  }

  @Override
  public String toString() {
    return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
  }
}
