package luciola.meta.cluster;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import org.jspecify.annotations.Nullable;

/** Servers as they were last heard of by this leader. */
final class Lives {
  private final ClusterTimings timings;
  private final Map<NodeId, Life> lives = new HashMap<>();

  /** A server as it was last heard of; {@code beats} is 0 until its first heartbeat. */
  private record Life(
      long incarnation,
      long heardNanos,
      long sequence,
      long beats,
      Map<TargetId, TargetReport> reports,
      List<PeerReport> unreachable) {}

  Lives(ClusterTimings timings) {
    this.timings = timings;
  }

  void clear() {
    lives.clear();
  }

  void forget(Routing routing) {
    lives.keySet().removeIf(node -> !routing.nodes().containsKey(node));
  }

  /** A new life has registered: it serves nothing until it has seen what became of its chains. */
  void begin(StorageNode node, long nowNanos) {
    lives.put(node.id(), new Life(node.incarnation(), nowNanos, 0, 0, Map.of(), List.of()));
  }

  /** Whether a newer heartbeat of the same life was heard before. */
  boolean overtaken(NodeId node, HeartbeatRequest request) {
    Life former = lives.get(node);
    return former != null
        && former.incarnation() == request.getIncarnation()
        && request.getSequence() != 0
        && request.getSequence() <= former.sequence();
  }

  void heard(NodeId node, HeartbeatRequest request, long nowNanos) {
    Life former = lives.get(node);
    var reports = new HashMap<TargetId, TargetReport>();
    for (TargetReport report : request.getTargetsList()) {
      if (report.getTargetId() > 0) {
        reports.put(new TargetId(report.getTargetId()), report);
      }
    }
    lives.put(
        node,
        new Life(
            request.getIncarnation(),
            nowNanos,
            request.getSequence(),
            former == null || former.incarnation() != request.getIncarnation()
                ? 1
                : former.beats() + 1,
            reports,
            List.copyOf(request.getUnreachableList())));
  }

  /** Whether a server was heard of within the failure time. */
  boolean alive(NodeId node, long nowNanos) {
    Life life = lives.get(node);
    return life != null && nowNanos - life.heardNanos() <= timings.failureNanos();
  }

  /** Whether a server is heard so regularly that nothing can be the matter with it. */
  boolean heardLately(NodeId node, long nowNanos) {
    Life life = lives.get(node);
    return life != null
        && life.beats() > 0
        && nowNanos - life.heardNanos() <= 3 * timings.heartbeatNanos();
  }

  /** Servers that do not answer this one, as it said last. */
  List<PeerReport> unreachable(NodeId node) {
    Life life = lives.get(node);
    return life == null ? List.of() : life.unreachable();
  }

  /** Whether a server would have been heard of just now if its process ran: see Registrations. */
  boolean beats(NodeId node, long nowNanos) {
    Life life = lives.get(node);
    return life != null
        && life.beats() > 0
        && nowNanos - life.heardNanos() <= 3 * timings.heartbeatNanos()
        && life.reports().values().stream().anyMatch(report -> !offline(report));
  }

  /** Time since the last heartbeat; empty if there was none. */
  OptionalLong ageNanos(NodeId node, long nowNanos) {
    Life life = lives.get(node);
    return life == null ? OptionalLong.empty() : OptionalLong.of(nowNanos - life.heardNanos());
  }

  /** What a server said last of its targets. */
  Map<TargetId, TargetReport> reports(NodeId node) {
    Life life = lives.get(node);
    return life == null ? Map.of() : life.reports();
  }

  /** What was said last of a target. */
  Optional<TargetReport> report(Routing routing, TargetId target) {
    return routing.nodeOf(target).map(node -> reports(node.id()).get(target));
  }

  /** Whether a target's server lives and says that the target works. */
  boolean usable(Routing routing, TargetId target, long nowNanos) {
    return routing.nodeOf(target).filter(node -> alive(node.id(), nowNanos)).isPresent()
        && report(routing, target).filter(report -> !offline(report)).isPresent();
  }

  private static boolean offline(TargetReport report) {
    return RoutingMessages.fromMessage(report.getLocalState()) == LocalState.OFFLINE;
  }

  /**
   * What members of a chain say.
   *
   * @param grace whether silence is held against nobody now
   */
  MemberReports of(Routing routing, Chain chain, boolean grace, long nowNanos) {
    var local = new HashMap<TargetId, LocalState>();
    Set<TargetId> told = new HashSet<>();
    boolean stopped = !grace && stopped(routing, chain, nowNanos);
    for (ChainMember member : chain.members()) {
      Optional<StorageNode> node = routing.nodeOf(member.target());
      if ((stopped && member.state() == PublicState.SERVING)
          || node.filter(known -> alive(known.id(), nowNanos)).isEmpty()) {
        if (!grace) {
          local.put(member.target(), LocalState.OFFLINE);
        }
        continue;
      }
      if (leaseless(node.get().id(), nowNanos)) {
        // What it said is too old to be given anything for it, and not old enough to take any.
        continue;
      }
      TargetReport report = reports(node.get().id()).get(member.target());
      ChainReport said = report == null ? null : said(report, chain);
      LocalState reported =
          report == null || said == null
              ? LocalState.OFFLINE
              : believed(
                  offline(report)
                      ? LocalState.OFFLINE
                      : RoutingMessages.fromMessage(said.getLocalState()),
                  said.getChainVersion(),
                  member.state(),
                  chain.version().value());
      if (reported != null) {
        local.put(member.target(), reported);
      }
      if (said != null && said.getChainVersion() == chain.version().value()) {
        told.add(member.target());
      }
    }
    return new MemberReports(local, told);
  }

  /**
   * Whether all serving members are gone, one of them for the failure time and the others at least
   * for so long that their leases have ended. They went together, as when power fails: nothing was
   * acknowledged since, so each of them holds everything, and is to be known for it.
   */
  private boolean stopped(Routing routing, Chain chain, long nowNanos) {
    boolean one = false;
    for (TargetId target : chain.serving()) {
      Optional<StorageNode> node = routing.nodeOf(target);
      if (node.filter(known -> !leaseless(known.id(), nowNanos)).isPresent()) {
        return false;
      }
      one |= node.filter(known -> alive(known.id(), nowNanos)).isEmpty();
    }
    return one;
  }

  /** Whether every lease that a server was granted has ended, however its clock drifts. */
  private boolean leaseless(NodeId node, long nowNanos) {
    OptionalLong age = ageNanos(node, nowNanos);
    return age.isEmpty() || age.getAsLong() > timings.leaseNanos() + timings.leaseNanos() / 4;
  }

  private static ChainReport said(TargetReport report, Chain chain) {
    ChainReport said =
        ChainReport.newBuilder()
            .setLocalState(report.getLocalState())
            .setChainVersion(report.getChainsCount() == 0 ? report.getChainVersion() : 0)
            .build();
    for (ChainReport listed : report.getChainsList()) {
      if (listed.getChainId() == chain.id().value()) {
        said = listed;
      }
    }
    return said;
  }

  /**
   * A report speaks of the chain version that its sender acts by. "Complete" counts for a syncing
   * member only if it was said of the present version; "may miss writes" is not held against a
   * serving member that did not know yet that it serves.
   */
  private static @Nullable LocalState believed(
      LocalState local, int version, PublicState now, int present) {
    if (now == PublicState.SYNCING && local == LocalState.UP_TO_DATE && version != present) {
      return LocalState.ONLINE;
    }
    if (now == PublicState.SERVING && local == LocalState.ONLINE && version < present) {
      return null;
    }
    return local;
  }
}
