package luciola.simulation.cluster;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.TargetReport;
import luciola.meta.cluster.ClusterState;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;

/** Planted bugs in what the manager believes of servers' reports. */
final class HeartbeatBugs {
  private final Map<Long, HeartbeatRequest> last = new TreeMap<>();

  /** A leader begins, or stops for good. */
  void forget() {
    last.clear();
  }

  /** Remembers what was heard. */
  void heard(HeartbeatRequest request) {
    last.put(request.getNodeId(), request);
  }

  /** Heartbeats that nobody sent, in which members that step down seem to know of it. */
  List<HeartbeatRequest> untold(Cluster cluster, ClusterState state) {
    return cluster.has(PlantedBug.REMOVED_UNTOLD)
        ? last.values().stream()
            .map(request -> heard(cluster, state, request))
            .filter(heard -> !last.containsValue(heard))
            .map(heard -> heard.toBuilder().setSequence(0).build())
            .toList()
        : List.of();
  }

  /** A heartbeat as the manager hears it. */
  static HeartbeatRequest heard(Cluster cluster, ClusterState state, HeartbeatRequest request) {
    if (!cluster.has(PlantedBug.REMOVED_UNTOLD) && !cluster.has(PlantedBug.COMPLETE_TOO_EARLY)) {
      return request;
    }
    HeartbeatRequest.Builder heard = request.toBuilder();
    for (TargetReport.Builder target : heard.getTargetsBuilderList()) {
      for (ChainReport.Builder report : target.getChainsBuilderList()) {
        state
            .routing()
            .chain(new ChainId(report.getChainId()))
            .filter(chain -> syncing(chain, target.getTargetId()))
            .ifPresent(chain -> {
              boolean goes = !state.wanted(chain.id()).contains(new TargetId(target.getTargetId()));
              if (goes && cluster.has(PlantedBug.REMOVED_UNTOLD)) {
                report.setChainVersion(chain.version().value());
              } else if (!goes && cluster.has(PlantedBug.COMPLETE_TOO_EARLY)) {
                report.setChainVersion(chain.version().value());
                report.setLocalState(luciola.grpc.v1.LocalState.LOCAL_STATE_UP_TO_DATE);
              }
            });
      }
    }
    return heard.build();
  }

  private static boolean syncing(Chain chain, long target) {
    return chain.stateOf(new TargetId(target)).filter(PublicState.SYNCING::equals).isPresent();
  }
}
