package luciola.protocol.frame;

import luciola.protocol.id.ClusterId;

/**
 * First frame of a connection. Answered by {@link HelloReply}; WRONG_CLUSTER or UNSUPPORTED closes
 * it.
 *
 * @param cluster the cluster the caller belongs to
 * @param protocolVersion newest version of the data plane that the caller speaks
 * @param caller random number of the calling client or server instance, never 0
 */
public record Hello(ClusterId cluster, int protocolVersion, long caller) implements Request {
  /** The version that this code speaks. */
  public static final int PROTOCOL_VERSION = 4;
}
