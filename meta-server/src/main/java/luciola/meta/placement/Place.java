package luciola.meta.placement;

import java.util.List;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;

/**
 * A target and what fails together with it.
 *
 * @param host the machine: label {@code host}, else the host of the server's address; on loopback
 *     each server counts as a machine of its own
 * @param leaf label {@code leaf}; empty if there is none
 */
public record Place(TargetId target, NodeId node, String host, String leaf) {
  /** Label of the machine. */
  public static final String HOST = "host";

  /** Label of the leaf switch. */
  public static final String LEAF = "leaf";

  /** The places of a server's targets. */
  public static List<Place> of(StorageNode node) {
    String host = hostOf(node);
    String leaf = node.labels().getOrDefault(LEAF, "");
    return node.targets().stream().map(target -> new Place(target, node.id(), host, leaf)).toList();
  }

  /** The machine that a server runs on, as far as is known. */
  public static String hostOf(StorageNode node) {
    String label = node.labels().getOrDefault(HOST, "");
    if (!label.isEmpty()) {
      return label;
    }
    return loopback(node.host()) ? "node-" + node.id() : node.host();
  }

  private static boolean loopback(String host) {
    return host.startsWith("127.")
        || host.equals("localhost")
        || host.equals("::1")
        || host.equals("[::1]");
  }

  /** What two replicas of a chain must not share, as a name. */
  String domain(FailureDomain domain) {
    return switch (domain) {
      case FAILURE_DOMAIN_TARGET -> target.toString();
      case FAILURE_DOMAIN_LEAF -> leaf;
      case FAILURE_DOMAIN_HOST, FAILURE_DOMAIN_UNSPECIFIED, UNRECOGNIZED -> host;
    };
  }

  /** Whether a replica there may be in a chain with one here. */
  public boolean apart(Place other, FailureDomain domain) {
    return !target.equals(other.target)
        && (domain == FailureDomain.FAILURE_DOMAIN_TARGET || !host.equals(other.host))
        && (domain != FailureDomain.FAILURE_DOMAIN_LEAF || !leaf.equals(other.leaf));
  }
}
