package luciola.cli.operate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import luciola.grpc.v1.Chain;
import luciola.grpc.v1.ChainMember;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.ChainTable;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.PublicState;
import luciola.grpc.v1.ResyncReport;
import luciola.grpc.v1.ScrubReport;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.TableStatus;
import luciola.grpc.v1.TargetReport;
import luciola.grpc.v1.TargetStatus;

/** What the meta-server says of the cluster, as a value that can be printed. */
public record ClusterView(
    String clusterId,
    String leader,
    List<String> metaServers,
    List<Meta> metas,
    long routingVersion,
    long inodes,
    long garbage,
    List<Node> nodes,
    List<ChainView> chains,
    List<Table> tables,
    List<Move> moves,
    List<Resync> resyncs,
    Map<String, String> settings) {
  private static final long READY_ENTRIES = 1000;
  private static final double READY_SECONDS = 3;

  /**
   * A meta-server, as the leader sees it.
   *
   * @param behindEntries entries of the log that it does not have yet
   * @param silentSeconds since it last answered the leader
   * @param empty it has no log at all: it lost its disk and was not filled yet
   */
  public record Meta(
      String address, boolean leads, long behindEntries, double silentSeconds, boolean empty) {
    /** Whether it could take the lead now. */
    public boolean ready() {
      return !empty && behindEntries < READY_ENTRIES && silentSeconds < READY_SECONDS;
    }

    private String words() {
      if (leads) {
        return address + " (leads)";
      }
      return ready()
          ? address
          : String.format(
              Locale.ROOT,
              "%s (%sbehind by %d entries, silent for %.1f s)",
              address,
              empty ? "has no log, " : "",
              behindEntries,
              silentSeconds);
    }
  }

  /** The meta-servers in words, with what is not well of them. */
  public String metaWords() {
    return metas.isEmpty()
        ? String.join(", ", metaServers) + "  leader " + leader
        : metas.stream().map(Meta::words).collect(Collectors.joining(", "));
  }

  /** A storage-server. */
  public record Node(
      long id,
      String address,
      boolean alive,
      double heartbeatAgeSeconds,
      boolean draining,
      Map<String, String> labels,
      List<Target> targets) {}

  /**
   * A target, as its server last reported it where it did.
   *
   * @param state the least of its states in its chains; {@code spare} if it is in none
   * @param chains chains that it is a member of
   * @param tombstones removed chunks that it remembers
   * @param tombstonesCollected those that it forgot for good since its server started
   * @param draining loses its replicas, by itself or with its node
   * @param held taken out of service by an operator
   * @param slow far slower than its peers
   * @param reason why it is slow, held, damaged or gone; empty if all is well
   */
  public record Target(
      long id,
      long node,
      String disk,
      String state,
      int chains,
      long chunks,
      long usedBytes,
      long capacityBytes,
      double resyncProgress,
      long checksumErrors,
      long tombstones,
      long tombstonesCollected,
      boolean draining,
      boolean held,
      boolean slow,
      boolean lowSpace,
      String reason,
      long readLatencyNanos,
      long flushLatencyNanos,
      Scrub scrub) {}

  /**
   * The background reading of a target.
   *
   * @param lastPassAgeSeconds since the last finished pass ended; -1 if none has
   */
  public record Scrub(
      long bytesDone,
      long bytesTotal,
      long passes,
      double lastPassAgeSeconds,
      long found,
      long repaired) {}

  /** A chain; members in chain order as {@code target:state}. */
  public record ChainView(int id, int version, boolean whole, List<String> members) {}

  /** A table of chains. */
  public record Table(int id, int version, int chains, int replicas, String failureDomain) {}

  /** A chain that is to have other members than it has. */
  public record Move(int chain, List<Long> wanted, List<Long> former) {}

  /**
   * The filling of a replica.
   *
   * @param secondsLeft -1 while it is not known
   */
  public record Resync(
      int chain,
      long source,
      long target,
      long bytesDone,
      long bytesTotal,
      long chunksDone,
      long chunksTotal,
      double secondsLeft) {}

  /** From the message. */
  public static ClusterView of(StatusReply reply) {
    var states = new HashMap<Long, PublicState>();
    var counts = new HashMap<Long, Integer>();
    for (Chain chain : reply.getChainsList()) {
      for (ChainMember member : chain.getMembersList()) {
        counts.merge(member.getTargetId(), 1, Integer::sum);
        states.merge(
            member.getTargetId(),
            member.getPublicState(),
            (a, b) -> Comparator.<PublicState>naturalOrder().compare(a, b) > 0 ? a : b);
      }
    }
    return new ClusterView(
        String.format(Locale.ROOT, "%016x", reply.getClusterId()),
        reply.getLeader(),
        List.copyOf(reply.getMembersList()),
        reply.getMetasList().stream()
            .map(meta ->
                new Meta(
                    meta.getAddress(),
                    meta.getLeads(),
                    meta.getBehindEntries(),
                    meta.getSilentNanos() / 1e9,
                    meta.getEmpty()))
            .toList(),
        reply.getRoutingVersion(),
        reply.getInodes(),
        reply.getGarbage(),
        reply.getNodesList().stream().map(node -> node(node, reply, states, counts)).toList(),
        reply.getChainsList().stream().map(ClusterView::chain).toList(),
        reply.getTablesList().stream().map(table -> table(table, reply)).toList(),
        reply.getPlansList().stream().map(ClusterView::move).toList(),
        resyncs(reply),
        Settings.of(reply.getSettings()));
  }

  /** Storage-servers whose heartbeats arrive. */
  public int nodesAlive() {
    return (int) nodes.stream().filter(Node::alive).count();
  }

  /** Chains of which every member serves. */
  public int chainsWhole() {
    return (int) chains.stream().filter(ChainView::whole).count();
  }

  /** A storage-server by its number. */
  public Optional<Node> node(long id) {
    return nodes.stream().filter(node -> node.id() == id).findFirst();
  }

  /** Every target, by number. */
  public List<Target> targets() {
    return nodes.stream()
        .flatMap(node -> node.targets().stream())
        .sorted(Comparator.comparingLong(Target::id))
        .toList();
  }

  private static Node node(
      NodeStatus status,
      StatusReply reply,
      Map<Long, PublicState> states,
      Map<Long, Integer> counts) {
    long id = status.getNode().getId();
    var reports = new TreeMap<Long, TargetReport>();
    status.getTargetsList().forEach(report -> reports.put(report.getTargetId(), report));
    var targets = new ArrayList<Target>();
    for (TargetStatus target : reply.getTargetsList()) {
      if (target.getNodeId() == id) {
        TargetReport report =
            reports.getOrDefault(target.getTargetId(), TargetReport.getDefaultInstance());
        targets.add(target(target, report, states, counts));
      }
    }
    return new Node(
        id,
        status.getNode().getAddress(),
        status.getAlive(),
        status.hasHeartbeatAgeNanos() ? status.getHeartbeatAgeNanos() / 1e9 : -1,
        status.getDraining(),
        new TreeMap<>(status.getNode().getLabelsMap()),
        List.copyOf(targets));
  }

  private static Target target(
      TargetStatus status,
      TargetReport report,
      Map<Long, PublicState> states,
      Map<Long, Integer> counts) {
    PublicState state = states.get(status.getTargetId());
    return new Target(
        status.getTargetId(),
        status.getNodeId(),
        status.getDisk(),
        state == null ? "spare" : words(state.name(), "PUBLIC_STATE_"),
        counts.getOrDefault(status.getTargetId(), 0),
        report.getChunks(),
        report.getUsedBytes(),
        report.getCapacityBytes() > 0 ? report.getCapacityBytes() : status.getCapacityBytes(),
        report.getResyncProgress(),
        report.getChecksumErrors(),
        report.getTombstones(),
        report.getTombstonesCollected(),
        status.getDraining(),
        status.getHeld(),
        status.getSlow(),
        report.getLowSpace(),
        status.getReason(),
        report.getReadLatencyNanos(),
        report.getFlushLatencyNanos(),
        scrub(report.getScrub()));
  }

  private static Scrub scrub(ScrubReport report) {
    return new Scrub(
        report.getBytesDone(),
        report.getBytesTotal(),
        report.getPasses(),
        report.hasLastPassAgeNanos() ? report.getLastPassAgeNanos() / 1e9 : -1,
        report.getFound(),
        report.getRepaired());
  }

  private static List<Resync> resyncs(StatusReply reply) {
    var resyncs = new ArrayList<Resync>();
    for (NodeStatus node : reply.getNodesList()) {
      if (node.getAlive()) {
        for (TargetReport report : node.getTargetsList()) {
          report
              .getResyncsList()
              .forEach(resync -> resyncs.add(resync(report.getTargetId(), resync)));
        }
      }
    }
    resyncs.sort(Comparator.comparingInt(Resync::chain).thenComparingLong(Resync::target));
    return List.copyOf(resyncs);
  }

  private static Resync resync(long source, ResyncReport report) {
    double done = report.getBytesDone();
    double left = report.getBytesTotal() - done;
    return new Resync(
        report.getChainId(),
        source,
        report.getTargetId(),
        report.getBytesDone(),
        report.getBytesTotal(),
        report.getChunksDone(),
        report.getChunksTotal(),
        report.getBytesTotal() == 0 || done <= 0
            ? -1
            : Math.max(0, report.getElapsedNanos() / 1e9 * left / done));
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

  private static Table table(ChainTable table, StatusReply reply) {
    TableStatus status =
        reply.getTableStatusesList().stream()
            .filter(each ->
                each.getTableId() == table.getId() && each.getVersion() == table.getVersion())
            .findFirst()
            .orElse(TableStatus.getDefaultInstance());
    return new Table(
        table.getId(),
        table.getVersion(),
        table.getChainsCount(),
        status.getReplicas(),
        words(status.getFailureDomain().name(), "FAILURE_DOMAIN_"));
  }

  private static Move move(ChainPlan plan) {
    return new Move(
        plan.getChainId(), List.copyOf(plan.getWantedList()), List.copyOf(plan.getFormerList()));
  }

  private static String words(String name, String prefix) {
    return name.substring(prefix.length()).toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
