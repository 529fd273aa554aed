package luciola.meta.namespace.check;

import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/** Repairs as one command of the log: all of the findings of one check, or none of them. */
public final class RepairChange {
  private RepairChange() {}

  /**
   * Repairs what is still wrong. Refused if anything was repaired since the check but by the
   * repairs that went before this one: the findings may then be mended already.
   */
  public static RepairNamespaceReply apply(RepairNamespaceRequest asked, long nowNanos, Tree tree) {
    long made = tree.counters().getRepairs();
    RepairNamespaceReply.Builder reply = RepairNamespaceReply.newBuilder().setRepairs(made);
    if (asked.getRepairs() != made) {
      return reply
          .setCode(ErrorCode.STALE_HANDLE.number())
          .setMessage(
              "repair namespace: something was repaired since the check, check again: repairs="
                  + made
                  + " checked="
                  + asked.getRepairs())
          .build();
    }
    var repairs = new Repairs(tree, nowNanos);
    for (NamespaceFinding finding : asked.getFindingsList()) {
      reply.addRepaired(repairs.repair(finding));
    }
    tree.count(tree.counters().setRepairs(made + 1));
    return reply.setRepairs(made + 1).build();
  }
}
