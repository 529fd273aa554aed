package luciola.cli.fsck;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.CheckNamespaceReply;
import luciola.grpc.v1.CheckNamespaceRequest;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The namespace: asks the meta-server what is wrong and has it repaired. After a repair it is
 * checked again, until a check finds nothing that can be repaired: a repair may uncover more.
 */
final class NamespaceFsck {
  private static final long CHECK_NANOS = TimeUnit.HOURS.toNanos(2);
  private static final int FINDINGS_MAX = 10_000;
  private static final int REPAIRS_MAX = 500;
  private static final int ROUNDS_MAX = 100;

  private final MetaConnection meta;
  private final FsckReport report;

  NamespaceFsck(MetaConnection meta, FsckReport report) {
    this.meta = meta;
    this.report = report;
  }

  void run(boolean repair) {
    CheckNamespaceReply checked = check();
    for (int round = 1; repair && round < ROUNDS_MAX && repaired(checked); round++) {
      checked = check();
    }
    Finding.Outcome outcome = repair ? Finding.Outcome.LEFT : Finding.Outcome.FOUND;
    for (NamespaceFinding finding : checked.getFindingsList()) {
      report.finding(said(finding), outcome);
    }
    long more = checked.getFound() - checked.getFindingsCount();
    if (more > 0) {
      report.more(more);
    }
  }

  private CheckNamespaceReply check() {
    CheckNamespaceReply checked =
        meta.checkNamespace(
            CheckNamespaceRequest.newBuilder().setFindingsMax(FINDINGS_MAX).build(),
            CHECK_NANOS,
            so -> {
              if (so.getInodes() > 0) {
                report.namespace(so.getInodes(), so.getNames());
              }
            });
    report.namespace(checked.getInodes(), checked.getNames());
    return checked;
  }

  /** Repairs what can be; returns whether anything was, so that it is worth checking again. */
  private boolean repaired(CheckNamespaceReply checked) {
    List<NamespaceFinding> findings = checked.getFindingsList();
    Set<NamespaceFinding> done = new HashSet<>();
    long repairs = checked.getRepairs();
    try {
      for (int from = 0; from < findings.size(); from += REPAIRS_MAX) {
        List<NamespaceFinding> some =
            new ArrayList<>(findings.subList(from, Math.min(from + REPAIRS_MAX, findings.size())));
        RepairNamespaceReply reply =
            meta.repairNamespace(
                RepairNamespaceRequest.newBuilder()
                    .setRepairs(repairs)
                    .addAllFindings(some)
                    .build());
        repairs = reply.getRepairs();
        for (int i = 0; i < some.size(); i++) {
          if (reply.getRepaired(i) && done.add(some.get(i))) {
            report.finding(said(some.get(i)), Finding.Outcome.REPAIRED);
          }
        }
      }
    } catch (LuciolaException e) {
      // Somebody else repairs, or the answer to a repair was lost: the next check knows.
      if (e.code() != ErrorCode.STALE_HANDLE) {
        throw e;
      }
      return true;
    }
    return !done.isEmpty();
  }

  private static Finding said(NamespaceFinding finding) {
    String kind =
        finding
            .getFault()
            .name()
            .substring("NAMESPACE_FAULT_".length())
            .toLowerCase(Locale.ROOT)
            .replace('_', '-');
    return new Finding(kind, finding.getInode(), 0, -1, detail(finding));
  }

  private static String detail(NamespaceFinding finding) {
    String name =
        "name=" + finding.getName().toStringUtf8() + " directory=" + finding.getDirectory();
    return switch (finding.getFault()) {
      case NAMESPACE_FAULT_WRONG_LINKS ->
          "its links differ from its names by " + finding.getDelta();
      case NAMESPACE_FAULT_UNREACHABLE -> "no name, no session, no garbage";
      case NAMESPACE_FAULT_DANGLING_NAME -> name + " names what does not exist";
      case NAMESPACE_FAULT_LOST_NAME -> name + " is in a directory that does not exist";
      case NAMESPACE_FAULT_WRONG_TYPE -> name + " says another type than the inode";
      case NAMESPACE_FAULT_WRONG_PARENT ->
          name + " but the directory says parent=" + finding.getParent();
      case NAMESPACE_FAULT_SECOND_NAME ->
          name + " beside the one in the parent=" + finding.getParent();
      case NAMESPACE_FAULT_LOST_SESSION -> "a session of what does not exist";
      case NAMESPACE_FAULT_LIVING_GARBAGE -> "garbage that is still in use";
      case NAMESPACE_FAULT_WRONG_COUNT -> "the number of inodes is wrong by " + finding.getDelta();
      case NAMESPACE_FAULT_WRONG_USAGE ->
          "what is counted below it is wrong by bytes="
              + finding.getDelta()
              + " inodes="
              + finding.getDeltaInodes();
      case NAMESPACE_FAULT_WRONG_PLACE ->
          "its counted names in directory="
              + finding.getDirectory()
              + " are wrong by "
              + finding.getDelta();
      case NAMESPACE_FAULT_WRONG_QUOTA ->
          finding.getInode() == 0
              ? "the number of quotas is wrong by " + finding.getDelta()
              : "its quota is not minded, or is one of nothing";
      case NAMESPACE_FAULT_NO_CHAIN_TABLE ->
          "on a chain table that does not exist: table="
              + finding.getTableId()
              + " version="
              + finding.getTableVersion();
      case NAMESPACE_FAULT_UNSPECIFIED, UNRECOGNIZED -> "of a kind that this program does not know";
    };
  }
}
