package luciola.meta.namespace.tree;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.StoredQuota;
import luciola.grpc.v1.StoredUsage;
import luciola.grpc.v1.UsageState;
import luciola.protocol.error.ErrorCode;

/**
 * What is below each directory, kept right by every change of names and lengths while there are
 * quotas; and whether a change keeps within them. One for each tree, so for one operation.
 *
 * <p>A directory's usage is the sum over its counted names: 1 inode each, with the length of what
 * is no directory, or with the usage of the directory. So every name of a file counts, and a tree
 * that moves takes its sum along, whatever is in it. A name is counted if its directory has a
 * record and is counted up to that name; a directory's record says in which directory, and under
 * which name, it is counted. What changes is added to the directory and to all that contain it.
 *
 * <p>Before everything is counted usage is too low, never too high: nobody is refused wrongly who
 * does not exceed. An operation is refused if it leaves a quota exceeded, and more so than before.
 */
public final class Usages {
  /** Directories in which a file can have names while there are quotas. */
  public static final int PLACES_MAX = 1_024;

  private static final int PATH_BYTES_MAX = 64 << 10;

  /** Directories above one that are charged: more are a ring of broken records. */
  private static final int DEPTH_MAX = 100_000;

  private final Tree tree;
  private final UsageRecords records;

  /** What directories with quotas had before the operation. */
  private Map<Long, StoredUsage> before = Map.of();

  Usages(Tree tree, UsageRecords records) {
    this.tree = tree;
    this.records = records;
  }

  /** The records themselves. */
  public UsageRecords records() {
    return records;
  }

  /** Whether usage is kept. */
  public boolean isKept() {
    return tree.usageState() == UsageState.USAGE_STATE_COUNTING
        || tree.usageState() == UsageState.USAGE_STATE_WHOLE;
  }

  /** Whether a directory's names are counted up to this one. */
  public static boolean counts(StoredUsage directory, ByteString name) {
    return !directory.getCounting()
        || ByteString.unsignedLexicographicalComparator().compare(name, directory.getCountedTo())
            <= 0;
  }

  /** Whether a directory is counted in another one under this name. */
  public static boolean isCountedAs(StoredUsage usage, long directory, ByteString name) {
    return usage.getCountedIn() == directory && usage.getName().equals(name);
  }

  private static boolean isDirectory(Inode inode) {
    return inode.getType() == InodeType.INODE_TYPE_DIRECTORY;
  }

  // Changes of names and lengths.

  /** An inode gets a name. */
  void named(long directory, ByteString name, Inode inode) {
    if (isKept() && records.usage(directory).filter(usage -> counts(usage, name)).isPresent()) {
      count(directory, name, inode);
    }
  }

  /** Counts a name that was not counted. */
  private void count(long directory, ByteString name, Inode inode) {
    long id = inode.getId();
    if (isDirectory(inode)) {
      StoredUsage own = records.usage(id).orElseGet(() -> begun(id));
      records.putUsage(id, own.toBuilder().setCountedIn(directory).setName(name).build());
      charge(directory, own.getBytes(), own.getInodes() + 1);
    } else {
      records.putNames(id, directory, records.names(id, directory) + 1);
      charge(directory, inode.getLength(), 1);
    }
  }

  /** A record for a directory without one: it is counted at once if it is empty, else in steps. */
  public StoredUsage begun(long directory) {
    boolean whole = tree.isEmpty(directory);
    if (!whole) {
      NamespaceCounters.Builder counters = tree.counters();
      long number = counters.getCountLast() + 1;
      records.putLeft(number, directory);
      tree.count(counters.setCountLast(number).setUsageState(UsageState.USAGE_STATE_COUNTING));
    }
    return StoredUsage.newBuilder()
        .setCounting(!whole)
        .setLimited(records.quota(directory).isPresent())
        .build();
  }

  /** An inode loses a name. */
  void unnamed(long directory, ByteString name, Inode inode) {
    if (!isKept()) {
      return;
    }
    long id = inode.getId();
    if (isDirectory(inode)) {
      Optional<StoredUsage> own =
          records.usage(id).filter(usage -> isCountedAs(usage, directory, name));
      own.ifPresent(usage -> {
        records.putUsage(id, usage.toBuilder().clearCountedIn().clearName().build());
        charge(directory, -usage.getBytes(), -usage.getInodes() - 1);
      });
      return;
    }
    Optional<StoredUsage> usage = records.usage(directory);
    if (usage.isEmpty() || counts(usage.get(), name)) {
      // In a removed tree nothing is kept any more but the places.
      int names = records.names(id, directory);
      if (names > 0) {
        records.putNames(id, directory, names - 1);
      }
      charge(directory, -inode.getLength(), -1);
    }
  }

  /** A file gets another length. */
  public void resized(Inode file, long length) {
    if (isKept() && length != file.getLength()) {
      for (UsageRecords.Place place : records.places(file.getId(), Integer.MAX_VALUE)) {
        charge(place.directory(), (length - file.getLength()) * place.names(), 0);
      }
    }
  }

  /** A directory is removed, its name before it. */
  void removed(long directory) {
    if (isKept()) {
      records.deleteUsage(directory);
    }
    if (tree.usageState() != UsageState.USAGE_STATE_NONE && records.quota(directory).isPresent()) {
      unlimited(directory);
    }
  }

  /** Adds to what is below a directory, and below all that contain it, whatever their quotas. */
  public void correct(long directory, long bytes, long inodes) {
    add(directory, bytes, inodes, false);
  }

  private void charge(long directory, long bytes, long inodes) {
    add(directory, bytes, inodes, true);
  }

  private void add(long directory, long bytes, long inodes, boolean limited) {
    long at = bytes == 0 && inodes == 0 ? 0 : directory;
    for (int depth = 0; at != 0 && depth < DEPTH_MAX; depth++) {
      Optional<StoredUsage> found = records.usage(at);
      if (found.isEmpty()) {
        return;
      }
      StoredUsage usage = found.get();
      if (limited && usage.getLimited()) {
        if (before.isEmpty()) {
          before = new LinkedHashMap<>();
        }
        before.putIfAbsent(at, usage);
      }
      records.putUsage(
          at,
          usage.toBuilder()
              .setBytes(usage.getBytes() + bytes)
              .setInodes(usage.getInodes() + inodes)
              .build());
      at = usage.getCountedIn();
    }
  }

  // Quotas.

  /** TOO_MANY_LINKS if a file has names in too many directories to get one in another. */
  public void requirePlace(Inode file) {
    Refusal.unless(
        file.getNlink() < PLACES_MAX
            || !isKept()
            || records.places(file.getId(), PLACES_MAX).size() < PLACES_MAX,
        ErrorCode.TOO_MANY_LINKS,
        "names in too many directories: inode=" + file.getId() + " max=" + PLACES_MAX);
  }

  /** QUOTA_EXCEEDED if what was changed leaves a quota exceeded, and more so than before. */
  public void requireWithin() {
    before.forEach((directory, was) -> {
      Optional<StoredQuota> quota = records.quota(directory);
      Optional<StoredUsage> is = records.usage(directory);
      if (quota.isPresent() && is.isPresent()) {
        requireWithin(directory, quota.get(), was, is.get());
      }
    });
  }

  private void requireWithin(long directory, StoredQuota quota, StoredUsage was, StoredUsage is) {
    boolean bytes =
        quota.hasBytes() && is.getBytes() > quota.getBytes() && is.getBytes() > was.getBytes();
    boolean inodes =
        quota.hasInodes() && is.getInodes() > quota.getInodes() && is.getInodes() > was.getInodes();
    if ((bytes || inodes) && isReached(directory)) {
      throw new Refusal(
          ErrorCode.QUOTA_EXCEEDED,
          "quota exceeded: directory="
              + path(directory, quota).toStringUtf8()
              + (bytes
                  ? said("Bytes", quota.getBytes(), was.getBytes(), is.getBytes())
                  : said("Inodes", quota.getInodes(), was.getInodes(), is.getInodes())));
    }
  }

  /** Whether a directory counts in the root: if it is removed, its quota counts no more. */
  private boolean isReached(long directory) {
    long at = directory;
    for (int depth = 0; at != Tree.ROOT && at != 0 && depth < DEPTH_MAX; depth++) {
      at = records.usage(at).map(StoredUsage::getCountedIn).orElse(0L);
    }
    return at == Tree.ROOT;
  }

  private static String said(String what, long limit, long was, long is) {
    return " limit" + what + "=" + limit + " used" + what + "=" + was + " more=" + (is - was);
  }

  /** Sets a directory's limits. */
  public void limit(long directory, StoredQuota quota) {
    if (records.quota(directory).isEmpty()) {
      NamespaceCounters.Builder counters = tree.counters();
      tree.count(counters.setQuotas(counters.getQuotas() + 1));
    }
    records.putQuota(directory, quota);
    if (tree.usageState() == UsageState.USAGE_STATE_NONE) {
      begin();
    } else {
      mark(directory, true);
    }
  }

  /** Begins to keep usage: nothing is counted yet but what is to be. */
  public void begin() {
    tree.count(
        tree.counters()
            .setUsageState(UsageState.USAGE_STATE_WHOLE)
            .setCountFirst(1)
            .setCountLast(0)
            .clearClearedTo());
    records.putUsage(Tree.ROOT, begun(Tree.ROOT));
  }

  /** Takes a directory's limits away; with the last one usage is not kept any more. */
  public void unlimited(long directory) {
    records.deleteQuota(directory);
    NamespaceCounters.Builder counters = tree.counters();
    counters.setQuotas(counters.getQuotas() - 1);
    if (counters.getQuotas() == 0) {
      counters.setUsageState(UsageState.USAGE_STATE_CLEARING);
    }
    tree.count(counters);
    if (isKept()) {
      mark(directory, false);
    }
  }

  /** Whether there is a quota, where a directory's record may not know. */
  public void mark(long directory) {
    mark(directory, records.quota(directory).isPresent());
  }

  /** Counts a name of a directory that was not counted, or does not count it any more. */
  public void place(long directory, ByteString name, long in, boolean counted) {
    StoredUsage own = records.usage(directory).orElseGet(() -> begun(directory));
    records.putUsage(
        directory,
        counted
            ? own.toBuilder().setCountedIn(in).setName(name).build()
            : own.toBuilder().clearCountedIn().clearName().build());
  }

  private void mark(long directory, boolean limited) {
    records
        .usage(directory)
        .ifPresent(
            usage -> records.putUsage(directory, usage.toBuilder().setLimited(limited).build()));
  }

  /** By how much a file may grow; empty: as much as it likes. */
  public Optional<Long> bytesLeft(Inode file) {
    long left = Long.MAX_VALUE;
    for (UsageRecords.Place place : records.places(file.getId(), Integer.MAX_VALUE)) {
      left = Math.min(left, bytesLeft(place.directory()) / place.names());
    }
    return left == Long.MAX_VALUE ? Optional.empty() : Optional.of(left);
  }

  private long bytesLeft(long directory) {
    long left = Long.MAX_VALUE;
    long at = directory;
    for (int depth = 0; at != 0 && depth < DEPTH_MAX; depth++) {
      Optional<StoredUsage> usage = records.usage(at);
      if (usage.isEmpty()) {
        return Long.MAX_VALUE;
      }
      Optional<StoredQuota> quota = usage.get().getLimited() ? records.quota(at) : Optional.empty();
      if (quota.isPresent() && quota.get().hasBytes()) {
        left = Math.min(left, Math.max(0, quota.get().getBytes() - usage.get().getBytes()));
      }
      at = usage.get().getCountedIn();
    }
    return left;
  }

  /** Where a directory with a quota is; where it was when that was set, if that is not known. */
  public ByteString path(long directory, StoredQuota quota) {
    ByteString path = ByteString.EMPTY;
    long at = directory;
    while (at != Tree.ROOT) {
      Optional<StoredUsage> usage = records.usage(at).filter(known -> known.getCountedIn() != 0);
      if (usage.isEmpty() || path.size() > PATH_BYTES_MAX) {
        return quota.getPath();
      }
      path = ByteString.copyFromUtf8("/").concat(usage.get().getName()).concat(path);
      at = usage.get().getCountedIn();
    }
    return path.isEmpty() ? ByteString.copyFromUtf8("/") : path;
  }
}
