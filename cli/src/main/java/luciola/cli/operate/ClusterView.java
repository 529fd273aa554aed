package luciola.cli.operate;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import luciola.grpc.v1.Chain;
import luciola.grpc.v1.ChainMember;
import luciola.grpc.v1.ChainTable;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.PublicState;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.TargetReport;

/** What the meta-server says of the cluster, as a value that can be printed. */
public record ClusterView(
    String clusterId,
    String leader,
    List<String> metaServers,
    long routingVersion,
    long inodes,
    long garbage,
    List<Node> nodes,
    List<ChainView> chains,
    List<Table> tables) {

  /** A storage-server. */
  public record Node(
      long id, String address, boolean alive, double heartbeatAgeSeconds, List<Target> targets) {}

  /**
   * A target as its server last reported it.
   *
   * @param state the least of its states in its chains; {@code spare} if it is in none
   */
  public record Target(
      long id,
      String state,
      long chunks,
      long usedBytes,
      long capacityBytes,
      double resyncProgress,
      long checksumErrors) {}

  /** A chain; members in chain order as {@code target:state}. */
  public record ChainView(int id, int version, boolean whole, List<String> members) {}

  /** A table of chains. */
  public record Table(int id, int version, int chains) {}

  /** From the message. */
  public static ClusterView of(StatusReply reply) {
    return new ClusterView(
        String.format(Locale.ROOT, "%016x", reply.getClusterId()),
        reply.getLeader(),
        List.copyOf(reply.getMembersList()),
        reply.getRoutingVersion(),
        reply.getInodes(),
        reply.getGarbage(),
        reply.getNodesList().stream().map(node -> node(node, reply.getChainsList())).toList(),
        reply.getChainsList().stream().map(ClusterView::chain).toList(),
        reply.getTablesList().stream().map(ClusterView::table).toList());
  }

  /** Storage-servers whose heartbeats arrive. */
  public int nodesAlive() {
    return (int) nodes.stream().filter(Node::alive).count();
  }

  /** Chains of which every member serves. */
  public int chainsWhole() {
    return (int) chains.stream().filter(ChainView::whole).count();
  }

  private static Node node(NodeStatus status, List<Chain> chains) {
    return new Node(
        status.getNode().getId(),
        status.getNode().getAddress(),
        status.getAlive(),
        status.hasHeartbeatAgeNanos() ? status.getHeartbeatAgeNanos() / 1e9 : -1,
        status.getTargetsList().stream().map(report -> target(report, chains)).toList());
  }

  private static Target target(TargetReport report, List<Chain> chains) {
    return new Target(
        report.getTargetId(),
        state(report.getTargetId(), chains),
        report.getChunks(),
        report.getUsedBytes(),
        report.getCapacityBytes(),
        report.getResyncProgress(),
        report.getChecksumErrors());
  }

  private static String state(long target, List<Chain> chains) {
    return chains.stream()
        .flatMap(chain -> chain.getMembersList().stream())
        .filter(member -> member.getTargetId() == target)
        .map(ChainMember::getPublicState)
        .max(Comparator.naturalOrder())
        .map(state -> words(state.name(), "PUBLIC_STATE_"))
        .orElse("spare");
  }

  private static ChainView chain(Chain chain) {
    return new ChainView(
        chain.getId(),
        chain.getVersion(),
        chain.getMembersList().stream()
            .allMatch(member -> member.getPublicState() == PublicState.PUBLIC_STATE_SERVING),
        chain.getMembersList().stream().map(ClusterView::member).toList());
  }

  private static String member(ChainMember member) {
    return member.getTargetId() + ":" + words(member.getPublicState().name(), "PUBLIC_STATE_");
  }

  private static Table table(ChainTable table) {
    return new Table(table.getId(), table.getVersion(), table.getChainsCount());
  }

  private static String words(String name, String prefix) {
    return name.substring(prefix.length()).toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
