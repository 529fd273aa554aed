package luciola.protocol.router;

import java.util.HashMap;
import java.util.Map;
import luciola.protocol.id.NodeId;

/** What one client has outstanding at each server, and which servers lately failed it. */
final class ReplicaLoad {
  private final Map<NodeId, Long> outstandingBytes = new HashMap<>();
  private final Map<NodeId, Long> avoidedUntilNanos = new HashMap<>();

  void sent(NodeId node, long bytes) {
    outstandingBytes.merge(node, bytes, Long::sum);
  }

  void answered(NodeId node, long bytes) {
    outstandingBytes.computeIfPresent(
        node, (_, before) -> before <= bytes ? null : Long.valueOf(before - bytes));
  }

  long outstandingBytes(NodeId node) {
    return outstandingBytes.getOrDefault(node, 0L);
  }

  void avoid(NodeId node, long untilNanos) {
    avoidedUntilNanos.put(node, untilNanos);
  }

  void trust(NodeId node) {
    avoidedUntilNanos.remove(node);
  }

  boolean avoided(NodeId node, long nowNanos) {
    Long until = avoidedUntilNanos.get(node);
    return until != null && nowNanos - until < 0;
  }
}
