package luciola.protocol.routing;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableTable;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.layout.StripeOrder;

/** One immutable version of where everything is. */
public final class Routing {
  /** Knows nothing. */
  public static final Routing EMPTY =
      new Routing(new RoutingVersion(0), ImmutableMap.of(), ImmutableMap.of(), ImmutableTable.of());

  private final RoutingVersion version;
  private final ImmutableMap<NodeId, StorageNode> nodes;
  private final ImmutableMap<ChainId, Chain> chains;
  private final ImmutableTable<ChainTableId, Integer, ChainTable> tables;
  private final ImmutableMap<TargetId, StorageNode> nodeOfTarget;

  private Routing(
      RoutingVersion version,
      ImmutableMap<NodeId, StorageNode> nodes,
      ImmutableMap<ChainId, Chain> chains,
      ImmutableTable<ChainTableId, Integer, ChainTable> tables) {
    this.version = version;
    this.nodes = nodes;
    this.chains = chains;
    this.tables = tables;
    var byTarget = new HashMap<TargetId, StorageNode>();
    nodes.values().forEach(node -> node.targets().forEach(target -> byTarget.put(target, node)));
    this.nodeOfTarget = ImmutableMap.copyOf(byTarget);
  }

  /**
   * This routing after a change. A delta that ends at or before this version changes nothing.
   *
   * @throws IllegalArgumentException if the delta starts after this version (something was missed)
   */
  public Routing apply(RoutingDelta delta) {
    if (delta.to().compareTo(version) <= 0) {
      return this;
    }
    if (!delta.full() && delta.from().compareTo(version) > 0) {
      throw new IllegalArgumentException(
          "routing delta starts too late: have=" + version + " from=" + delta.from());
    }
    Routing base = delta.full() ? EMPTY : this;
    var newNodes = new HashMap<NodeId, StorageNode>(base.nodes);
    delta.nodes().forEach(node -> newNodes.put(node.id(), node));
    var newChains = new HashMap<ChainId, Chain>(base.chains);
    delta.chains().forEach(chain -> newChains.merge(chain.id(), chain, Routing::newer));
    ImmutableTable<ChainTableId, Integer, ChainTable> newTables =
        Stream.concat(base.tables.values().stream(), delta.tables().stream())
            .collect(
                ImmutableTable.toImmutableTable(
                    ChainTable::id, ChainTable::version, table -> table, (_, newer) -> newer));
    return new Routing(
        delta.to(), ImmutableMap.copyOf(newNodes), ImmutableMap.copyOf(newChains), newTables);
  }

  private static Chain newer(Chain a, Chain b) {
    return a.version().compareTo(b.version()) > 0 ? a : b;
  }

  public RoutingVersion version() {
    return version;
  }

  public Map<NodeId, StorageNode> nodes() {
    return nodes;
  }

  public Map<ChainId, Chain> chains() {
    return chains;
  }

  /** Every version of every table. */
  public List<ChainTable> tables() {
    return List.copyOf(tables.values());
  }

  public Optional<Chain> chain(ChainId id) {
    return Optional.ofNullable(chains.get(id));
  }

  public Optional<ChainTable> table(ChainTableId id, int tableVersion) {
    return Optional.ofNullable(tables.get(id, tableVersion));
  }

  /** The server of a target. */
  public Optional<StorageNode> nodeOf(TargetId target) {
    return Optional.ofNullable(nodeOfTarget.get(target));
  }

  /**
   * Chains of a file's stripe, in order: chunk {@code c} lies on entry {@code c mod stripe}.
   *
   * @throws LuciolaException NO_CHAIN_TABLE if this routing does not know the layout's table
   */
  public List<ChainId> stripe(FileLayout layout) {
    ChainTable table =
        table(layout.table(), layout.tableVersion())
            .orElseThrow(() ->
                new LuciolaException(
                    ErrorCode.NO_CHAIN_TABLE,
                    "unknown chain table: table="
                        + layout.table()
                        + " version="
                        + layout.tableVersion()
                        + " routing="
                        + version));
    int[] order =
        StripeOrder.indices(table.chains().size(), layout.stripe(), layout.start(), layout.seed());
    return Arrays.stream(order).mapToObj(table.chains()::get).toList();
  }

  /** The chain that holds one chunk of a file. */
  public ChainId chainOf(FileLayout layout, ChunkId chunk) {
    return stripe(layout).get(chunk.index() % layout.stripe());
  }
}
