package luciola.meta.namespace.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceFault;
import luciola.grpc.v1.NamespaceFinding;
import luciola.grpc.v1.StoredUsage;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Scans;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.UsageRecords;
import luciola.meta.namespace.tree.Usages;
import org.jspecify.annotations.Nullable;

/**
 * Whether what is kept of what is below directories follows from their names, where there are
 * quotas. Each directory is held against its own names and the records of the directories in it, so
 * one wrong record is found there and, the other way round, in the directory above; both
 * corrections together are right. One pass over the names, with two look-ups each; memory for the
 * files of one directory that have several names.
 */
final class UsageCheck {
  private static final int LINKED_MAX = 1_000_000;
  private static final int PAGE = 4_096;

  private final Tree tree;
  private final UsageRecords records;
  private final Scans scans;
  private final Consumer<NamespaceFinding.Builder> report;
  private final BooleanSupplier looked;
  private @Nullable Sum sum;

  /** What the names of one directory add up to. */
  private static final class Sum {
    final long directory;
    final StoredUsage usage;
    final Map<Long, Integer> linked = new HashMap<>();
    long bytes;
    long inodes;

    Sum(long directory, StoredUsage usage) {
      this.directory = directory;
      this.usage = usage;
    }
  }

  /**
   * A check of what a view shows.
   *
   * @param looked to be called for each record; false: stop
   */
  UsageCheck(KeyValueView view, Consumer<NamespaceFinding.Builder> report, BooleanSupplier looked) {
    this.tree = Tree.reading(view);
    this.records = tree.usages().records();
    this.scans = new Scans(view);
    this.report = report;
    this.looked = looked;
  }

  void run() {
    quotas();
    if (!tree.usages().isKept()) {
      return;
    }
    if (records.usage(Tree.ROOT).isEmpty()) {
      report(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE, Tree.ROOT);
    }
    scans.names(dentry -> {
      Sum at = sum;
      if (at == null || at.directory != dentry.directory()) {
        end();
        at =
            records
                .usage(dentry.directory())
                .map(usage -> new Sum(dentry.directory(), usage))
                .orElse(null);
        sum = at;
      }
      if (at != null) {
        add(at, dentry);
      }
      return looked.getAsBoolean();
    });
    end();
    withoutNames();
    places();
  }

  private NamespaceFinding.Builder of(NamespaceFault fault, long inode) {
    return NamespaceFinding.newBuilder().setFault(fault).setInode(inode);
  }

  private void report(NamespaceFault fault, long inode) {
    report.accept(of(fault, inode));
  }

  private void add(Sum at, Scans.Dentry dentry) {
    Optional<Inode> found = tree.inode(dentry.inode());
    if (found.isEmpty()) {
      return; // A name of nothing counts nothing, and is found elsewhere.
    }
    boolean counts = Usages.counts(at.usage, dentry.name());
    if (found.get().getType() == InodeType.INODE_TYPE_DIRECTORY) {
      directory(at, dentry, found.get(), counts);
    } else {
      file(at, found.get(), counts);
    }
  }

  private void directory(Sum at, Scans.Dentry dentry, Inode inode, boolean counts) {
    if (inode.getParent() != at.directory) {
      return; // Of several names only one can count; found elsewhere too.
    }
    Optional<StoredUsage> own = records.usage(dentry.inode());
    boolean counted =
        own.filter(usage -> Usages.isCountedAs(usage, at.directory, dentry.name())).isPresent();
    if (counts != counted) {
      report.accept(
          of(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE, dentry.inode())
              .setDirectory(at.directory)
              .setName(dentry.name())
              .setDelta(counts ? 1 : -1));
    }
    if (counts) {
      at.bytes += own.map(StoredUsage::getBytes).orElse(0L);
      at.inodes += own.map(StoredUsage::getInodes).orElse(0L) + 1;
    }
  }

  private void file(Sum at, Inode inode, boolean counts) {
    if (counts) {
      at.bytes += inode.getLength();
      at.inodes++;
    }
    if (inode.getNlink() == 1) {
      place(inode.getId(), at.directory, counts ? 1 : 0);
    } else if (at.linked.size() < LINKED_MAX || at.linked.containsKey(inode.getId())) {
      at.linked.merge(inode.getId(), counts ? 1 : 0, Integer::sum);
    }
  }

  private void place(long inode, long directory, int names) {
    int kept = records.names(inode, directory);
    if (kept != names) {
      report.accept(
          of(NamespaceFault.NAMESPACE_FAULT_WRONG_PLACE, inode)
              .setDirectory(directory)
              .setDelta(names - kept));
    }
  }

  private void end() {
    Sum at = sum;
    sum = null;
    if (at != null) {
      at.linked.forEach((inode, names) -> place(inode, at.directory, names));
      compare(at);
    }
  }

  private void compare(Sum at) {
    if (at.bytes != at.usage.getBytes() || at.inodes != at.usage.getInodes()) {
      report.accept(
          of(NamespaceFault.NAMESPACE_FAULT_WRONG_USAGE, at.directory)
              .setDelta(at.bytes - at.usage.getBytes())
              .setDeltaInodes(at.inodes - at.usage.getInodes()));
    }
  }

  /** Directories that no name led to, because they are empty; and what says that it has a quota. */
  private void withoutNames() {
    records.usages((directory, usage) -> {
      if (tree.inode(directory).isPresent()) {
        if ((usage.getBytes() != 0 || usage.getInodes() != 0) && tree.isEmpty(directory)) {
          compare(new Sum(directory, usage));
        }
        if (usage.getLimited() != records.quota(directory).isPresent()) {
          report(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA, directory);
        }
      }
      return looked.getAsBoolean();
    });
  }

  private void quotas() {
    long quotas = 0;
    long after = 0;
    List<UsageRecords.Limited> page;
    do {
      page = records.quotas(after, PAGE);
      for (UsageRecords.Limited limited : page) {
        after = limited.directory();
        quotas++;
        if (tree.inode(after).isEmpty()) {
          report(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA, after);
        }
      }
    } while (page.size() == PAGE);
    if (quotas != tree.counters().getQuotas()) {
      report.accept(
          of(NamespaceFault.NAMESPACE_FAULT_WRONG_QUOTA, 0)
              .setDelta(quotas - tree.counters().getQuotas()));
    }
  }

  /** Files that are said to have more names than they have. */
  private void places() {
    var of = new ArrayList<UsageRecords.Place>();
    long[] inode = {0};
    records.places(
        0,
        (next, place) -> {
          if (next != inode[0]) {
            places(inode[0], of);
            of.clear();
            inode[0] = next;
          }
          of.add(place);
          return looked.getAsBoolean();
        });
    places(inode[0], of);
  }

  private void places(long inode, List<UsageRecords.Place> of) {
    int links = tree.inode(inode).map(Inode::getNlink).orElse(0);
    int names = of.stream().mapToInt(UsageRecords.Place::names).sum();
    if (names > links) {
      for (UsageRecords.Place place : of) {
        int real = links == 0 ? 0 : names(inode, place.directory());
        if (real == 0) {
          // What has a name there was looked at with that name.
          place(inode, place.directory(), 0);
        }
      }
    }
  }

  private int names(long inode, long directory) {
    int[] count = {0};
    tree.eachName(
        directory,
        name -> {
          count[0] += name.inode() == inode ? 1 : 0;
          return looked.getAsBoolean();
        });
    return count[0];
  }
}
