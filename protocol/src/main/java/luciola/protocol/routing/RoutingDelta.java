package luciola.protocol.routing;

import java.util.List;
import luciola.protocol.id.RoutingVersion;

/**
 * What changed between two versions of the routing: each element replaces the one of the same id.
 *
 * @param full whether this is everything, to be applied to {@link Routing#EMPTY}
 */
public record RoutingDelta(
    RoutingVersion from,
    RoutingVersion to,
    boolean full,
    List<StorageNode> nodes,
    List<Chain> chains,
    List<ChainTable> tables) {
  public RoutingDelta {
    nodes = List.copyOf(nodes);
    chains = List.copyOf(chains);
    tables = List.copyOf(tables);
    if (to.compareTo(from) < 0) {
      throw new IllegalArgumentException("routing goes back: from=" + from + " to=" + to);
    }
  }
}
