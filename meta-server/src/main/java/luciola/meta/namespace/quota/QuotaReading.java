package luciola.meta.namespace.quota;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.StoredQuota;
import luciola.grpc.v1.StoredUsage;
import luciola.grpc.v1.UsageState;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.UsageRecords;

/** Quotas and what is used of them, as they are shown. */
public record QuotaReading(Tree tree) {
  private UsageRecords records() {
    return tree.usages().records();
  }

  /** Those that count for an inode, that of the nearest directory first. */
  public List<Quota> of(Inode inode) {
    var quotas = new ArrayList<Quota>();
    if (tree.usageState() == UsageState.USAGE_STATE_NONE) {
      return quotas;
    }
    Optional<Inode> at = directory(inode);
    while (at.isPresent()) {
      long directory = at.get().getId();
      records().quota(directory).ifPresent(quota -> quotas.add(shown(directory, quota)));
      at = directory == Tree.ROOT ? Optional.empty() : tree.inode(at.get().getParent());
    }
    return quotas;
  }

  /** A directory itself; of a file, one in which it has a name. */
  private Optional<Inode> directory(Inode inode) {
    return inode.getType() == InodeType.INODE_TYPE_DIRECTORY
        ? Optional.of(inode)
        : records().places(inode.getId(), 1).stream()
            .findFirst()
            .flatMap(place -> tree.inode(place.directory()));
  }

  /** Of those that count for an inode and limit bytes, the one with the fewest left. */
  public Optional<Quota> tightest(Inode inode) {
    return of(inode).stream()
        .filter(Quota::hasBytes)
        .min(Comparator.comparingLong(quota -> quota.getBytes() - quota.getUsedBytes()));
  }

  /** Up to {@code limit} of directories with higher numbers, in their order. */
  public List<Quota> after(long directory, int limit) {
    return records().quotas(directory, limit).stream()
        .map(limited -> shown(limited.directory(), limited.quota()))
        .toList();
  }

  private Quota shown(long directory, StoredQuota quota) {
    boolean kept = tree.usages().isKept();
    StoredUsage usage =
        kept
            ? records().usage(directory).orElse(StoredUsage.getDefaultInstance())
            : StoredUsage.getDefaultInstance();
    Quota.Builder shown =
        Quota.newBuilder()
            .setDirectory(directory)
            .setPath(kept ? tree.usages().path(directory, quota) : quota.getPath())
            .setUsedBytes(Math.max(0, usage.getBytes()))
            .setUsedInodes(Math.max(0, usage.getInodes()))
            .setCounting(tree.usageState() != UsageState.USAGE_STATE_WHOLE);
    if (quota.hasBytes()) {
      shown.setBytes(quota.getBytes());
    }
    if (quota.hasInodes()) {
      shown.setInodes(quota.getInodes());
    }
    return shown.build();
  }
}
