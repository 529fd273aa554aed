package luciola.protocol.routing;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;

/**
 * A storage-server.
 *
 * @param host data-plane host name or address
 * @param port data-plane TCP port
 * @param labels zone, leaf, host, disk class
 * @param targets the targets it serves
 * @param incarnation number of its present life
 */
public record StorageNode(
    NodeId id,
    String host,
    int port,
    Map<String, String> labels,
    List<TargetId> targets,
    long incarnation) {
  public StorageNode {
    labels = ImmutableMap.copyOf(labels);
    targets = List.copyOf(targets);
  }
}
