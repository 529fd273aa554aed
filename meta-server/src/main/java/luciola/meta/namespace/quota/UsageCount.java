package luciola.meta.namespace.quota;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.StoredUsage;
import luciola.grpc.v1.UsageState;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.UsageRecords;
import luciola.meta.namespace.tree.Usages;

/**
 * Counts what was there before the first quota, while it changes, and removes what was counted
 * after the last one; both in steps of so many names.
 *
 * <p>Directories are counted from the root down, in the order in which they were found. How far one
 * is counted is in its record: a name up to there is kept right by whoever changes it, one after it
 * is met when counting gets there. A directory gets its record when its name is counted, so
 * whatever moves is either counted already, or is left to count, or lies where counting has yet to
 * come.
 */
public final class UsageCount {
  /** Names in one step at most. */
  public static final int STEP_NAMES_MAX = 65_536;

  private final Tree tree;
  private final Usages usages;
  private final UsageRecords records;

  private UsageCount(Tree tree) {
    this.tree = tree;
    this.usages = tree.usages();
    this.records = usages.records();
  }

  /** Whether there is anything to do. */
  public static boolean isLeft(Tree tree) {
    return tree.usageState() == UsageState.USAGE_STATE_COUNTING
        || tree.usageState() == UsageState.USAGE_STATE_CLEARING;
  }

  /** Does some more. */
  public static void step(Tree tree, int names) {
    var count = new UsageCount(tree);
    int left = Math.clamp(names, 1, STEP_NAMES_MAX);
    while (left > 0 && isLeft(tree)) {
      left -=
          tree.usageState() == UsageState.USAGE_STATE_COUNTING
              ? count.count(left)
              : count.clear(left);
    }
  }

  /** Counts up to {@code limit} names of one directory; returns the work done, over 0. */
  private int count(int limit) {
    NamespaceCounters.Builder counters = tree.counters();
    Optional<Long> next = records.left(counters.getCountFirst());
    if (next.isEmpty()) {
      tree.count(counters.setUsageState(UsageState.USAGE_STATE_WHOLE));
      return 1;
    }
    Optional<StoredUsage> usage = records.usage(next.get()).filter(StoredUsage::getCounting);
    int names = usage.isEmpty() ? 0 : names(next.get(), usage.get(), limit);
    if (names < limit) {
      records.deleteLeft(counters.getCountFirst());
      tree.count(tree.counters().setCountFirst(counters.getCountFirst() + 1));
    }
    return names + 1;
  }

  private int names(long directory, StoredUsage usage, int limit) {
    List<Tree.Name> names = tree.names(directory, usage.getCountedTo(), limit);
    long bytes = 0;
    long inodes = 0;
    for (Tree.Name name : names) {
      Optional<Inode> inode = tree.inode(name.inode());
      if (inode.isEmpty()) {
        continue;
      }
      if (inode.get().getType() == InodeType.INODE_TYPE_DIRECTORY) {
        StoredUsage own = records.usage(name.inode()).orElseGet(() -> usages.begun(name.inode()));
        if (own.getCountedIn() != 0) {
          continue; // A second name, which a check finds.
        }
        records.putUsage(
            name.inode(), own.toBuilder().setCountedIn(directory).setName(name.name()).build());
        bytes += own.getBytes();
        inodes += own.getInodes() + 1;
      } else {
        records.putNames(name.inode(), directory, records.names(name.inode(), directory) + 1);
        bytes += inode.get().getLength();
        inodes++;
      }
    }
    boolean whole = names.size() < limit;
    records.putUsage(
        directory,
        usage.toBuilder()
            .setCounting(!whole)
            .setCountedTo(whole ? ByteString.EMPTY : names.getLast().name())
            .build());
    usages.correct(directory, bytes, inodes);
    return names.size();
  }

  /** Removes up to {@code limit} records; returns the work done, over 0. */
  private int clear(int limit) {
    NamespaceCounters.Builder counters = tree.counters();
    Optional<byte[]> to = records.clear(counters.getClearedTo().toByteArray(), limit);
    if (to.isPresent()) {
      tree.count(counters.setClearedTo(ByteString.copyFrom(to.get())));
    } else if (counters.getQuotas() > 0) {
      usages.begin();
    } else {
      tree.count(
          counters
              .setUsageState(UsageState.USAGE_STATE_NONE)
              .clearClearedTo()
              .clearCountFirst()
              .clearCountLast());
    }
    return limit;
  }
}
