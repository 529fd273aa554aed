package luciola.meta.namespace.quota;

import com.google.protobuf.ByteString;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.QuotaList;
import luciola.grpc.v1.RemoveQuota;
import luciola.grpc.v1.SetQuota;
import luciola.grpc.v1.StoredQuota;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Usages;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/**
 * Sets and removes quotas. A limit below what is used is fine: nothing can be added then. The first
 * quota begins to count what is there.
 */
public final class QuotaChange {
  private QuotaChange() {}

  /** Sets a directory's limits, or changes those that are named. */
  public static NamespaceReply.Builder set(Tree tree, Identity who, SetQuota asked) {
    requireRoot(who);
    Inode directory = new Walk(tree, who).inode(asked.getAt(), true);
    Refusal.unless(
        directory.getType() == InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.NOT_A_DIRECTORY,
        "only a directory has a quota: inode=" + directory.getId());
    Usages usages = tree.usages();
    StoredQuota.Builder quota =
        usages
            .records()
            .quota(directory.getId())
            .orElse(StoredQuota.getDefaultInstance())
            .toBuilder();
    if (quota.getPath().isEmpty()) {
      quota.setPath(ByteString.copyFromUtf8("/").concat(asked.getAt().getPath()));
    }
    if (asked.hasBytes()) {
      quota.setBytes(limit("bytes", asked.getBytes()));
    } else if (asked.getUnlimitedBytes()) {
      quota.clearBytes();
    }
    if (asked.hasInodes()) {
      quota.setInodes(limit("inodes", asked.getInodes()));
    } else if (asked.getUnlimitedInodes()) {
      quota.clearInodes();
    }
    Refusal.unless(
        quota.hasBytes() || quota.hasInodes(),
        ErrorCode.INVALID_ARGUMENT,
        "a quota limits bytes or inodes: inode=" + directory.getId());
    usages.limit(directory.getId(), quota.build());
    return shown(tree, directory);
  }

  private static long limit(String what, long limit) {
    Refusal.unless(
        limit >= 0,
        ErrorCode.INVALID_ARGUMENT,
        "a quota of too many " + what + ": " + Long.toUnsignedString(limit));
    return limit;
  }

  /** Takes a directory's limits away. */
  public static NamespaceReply.Builder remove(Tree tree, Identity who, RemoveQuota asked) {
    requireRoot(who);
    Inode directory = new Walk(tree, who).inode(asked.getAt(), true);
    Refusal.unless(
        tree.usages().records().quota(directory.getId()).isPresent(),
        ErrorCode.NOT_FOUND,
        "no quota: inode=" + directory.getId());
    NamespaceReply.Builder removed = shown(tree, directory);
    tree.usages().unlimited(directory.getId());
    return removed;
  }

  private static NamespaceReply.Builder shown(Tree tree, Inode directory) {
    return NamespaceReply.newBuilder()
        .setInode(directory)
        .setQuotas(
            QuotaList.newBuilder().addQuotas(new QuotaReading(tree).of(directory).getFirst()));
  }

  private static void requireRoot(Identity who) {
    Refusal.unless(who.getUid() == 0, ErrorCode.NOT_PERMITTED, "quotas are set by user 0 only");
  }
}
