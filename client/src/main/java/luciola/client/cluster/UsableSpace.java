package luciola.client.cluster;

import java.util.HashMap;
import java.util.Map;
import luciola.client.SpaceUsage;
import luciola.grpc.v1.Chain;
import luciola.grpc.v1.ChainMember;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.TargetReport;

/**
 * What of the raw space files can use: a target's space is shared by its chains in equal parts, and
 * a chain holds as much as its smallest part.
 */
final class UsableSpace {
  private UsableSpace() {}

  static SpaceUsage of(StatusReply status) {
    Map<Long, TargetReport> reports = new HashMap<>();
    for (NodeStatus node : status.getNodesList()) {
      node.getTargetsList().forEach(report -> reports.put(report.getTargetId(), report));
    }
    Map<Long, Integer> chainsOf = new HashMap<>();
    for (Chain chain : status.getChainsList()) {
      chain.getMembersList().forEach(m -> chainsOf.merge(m.getTargetId(), 1, Integer::sum));
    }
    long capacity = 0;
    long free = 0;
    for (Chain chain : status.getChainsList()) {
      long chainCapacity = Long.MAX_VALUE;
      long chainFree = Long.MAX_VALUE;
      for (ChainMember member : chain.getMembersList()) {
        TargetReport report = reports.get(member.getTargetId());
        if (report != null) {
          int parts = chainsOf.getOrDefault(member.getTargetId(), 1);
          chainCapacity = Math.min(chainCapacity, report.getCapacityBytes() / parts);
          chainFree =
              Math.min(
                  chainFree,
                  Math.max(0, report.getCapacityBytes() - report.getUsedBytes()) / parts);
        }
      }
      if (chainCapacity != Long.MAX_VALUE) {
        capacity += chainCapacity;
        free += chainFree;
      }
    }
    return new SpaceUsage(capacity, free, status.getInodes());
  }
}
