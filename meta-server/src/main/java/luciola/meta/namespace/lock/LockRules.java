package luciola.meta.namespace.lock;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockType;

/** When locks are in each other's way, and what becomes of an owner's locks by a new one. */
final class LockRules {
  private LockRules() {}

  static boolean sameOwner(FileLock one, FileLock other) {
    return one.getClient() == other.getClient() && one.getOwner() == other.getOwner();
  }

  static boolean overlap(FileLock one, FileLock other) {
    return one.getFirst() <= other.getLast() && other.getFirst() <= one.getLast();
  }

  /** Whether two locks of one kind on one inode cannot be held together. */
  static boolean collide(FileLock one, FileLock other) {
    return !sameOwner(one, other)
        && overlap(one, other)
        && (one.getType() == LockType.LOCK_TYPE_EXCLUSIVE
            || other.getType() == LockType.LOCK_TYPE_EXCLUSIVE);
  }

  /** The first held lock that is in the way of a wanted one. */
  static Optional<FileLock> inTheWay(List<FileLock> held, FileLock wanted) {
    return wanted.getType() == LockType.LOCK_TYPE_NONE
        ? Optional.empty()
        : held.stream().filter(lock -> collide(lock, wanted)).findFirst();
  }

  /**
   * An owner's locks after one more is set, or (type NONE) a range is given up: what it covers is
   * replaced, what reaches beyond is kept, and neighbours of the same type become one.
   *
   * @param own by first byte, without overlaps
   */
  static List<FileLock> with(List<FileLock> own, FileLock set) {
    var after = new ArrayList<FileLock>();
    long first = set.getFirst();
    long last = set.getLast();
    boolean sets = set.getType() != LockType.LOCK_TYPE_NONE;
    for (FileLock lock : own) {
      boolean touches =
          sets
              && lock.getType() == set.getType()
              && lock.getFirst() <= next(last)
              && first <= next(lock.getLast());
      if (touches) {
        first = Math.min(first, lock.getFirst());
        last = Math.max(last, lock.getLast());
      } else if (!overlap(lock, set)) {
        after.add(lock);
      } else {
        if (lock.getFirst() < set.getFirst()) {
          after.add(lock.toBuilder().setLast(set.getFirst() - 1).build());
        }
        if (lock.getLast() > set.getLast()) {
          after.add(lock.toBuilder().setFirst(set.getLast() + 1).build());
        }
      }
    }
    if (sets) {
      after.add(set.toBuilder().setFirst(first).setLast(last).build());
    }
    return after;
  }

  /** The byte after one, but for the last there can be. */
  private static long next(long last) {
    return last == Long.MAX_VALUE ? last : last + 1;
  }
}
