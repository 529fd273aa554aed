package luciola.protocol.router;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.id.NodeId;

/** What one client has outstanding at each server, and which servers lately failed it. */
final class ReplicaLoad {
  private final Map<NodeId, Server> servers = new HashMap<>();
  private int avoided;

  /** One server's. */
  static final class Server {
    private long outstandingBytes;
    private boolean avoided;
    private long avoidedUntilNanos;

    long outstandingBytes() {
      return outstandingBytes;
    }
  }

  /** The same object for a node for ever. */
  Server server(NodeId node) {
    return servers.computeIfAbsent(node, _ -> new Server());
  }

  void sent(NodeId node, long bytes) {
    server(node).outstandingBytes += bytes;
  }

  void answered(NodeId node, long bytes) {
    Server server = server(node);
    server.outstandingBytes = Math.max(0, server.outstandingBytes - bytes);
  }

  long outstandingBytes(NodeId node) {
    return server(node).outstandingBytes;
  }

  void avoid(NodeId node, long untilNanos) {
    Server server = server(node);
    avoided += server.avoided ? 0 : 1;
    server.avoided = true;
    server.avoidedUntilNanos = untilNanos;
  }

  void trust(NodeId node) {
    Server server = server(node);
    avoided -= server.avoided ? 1 : 0;
    server.avoided = false;
  }

  /** Whether there is any server that may have to be avoided. */
  boolean avoidsAny() {
    return avoided > 0;
  }

  boolean avoided(NodeId node, long nowNanos) {
    Server server = server(node);
    return server.avoided && nowNanos - server.avoidedUntilNanos < 0;
  }
}
