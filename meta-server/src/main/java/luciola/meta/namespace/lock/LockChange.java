package luciola.meta.namespace.lock;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Locks;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/**
 * Sets and gives up locks: fcntl(2) with F_SETLK and F_GETLK, flock(2). A lock that is in the way
 * is an answer, not an error. A whole file's lock that its owner wants in another type is given up
 * even if the other type cannot be had, as flock(2) says: else two owners would wait for each
 * other.
 */
public final class LockChange {
  /** Locks of one kind on one inode. */
  static final int LOCKS_MAX = 1024;

  private LockChange() {}

  /** Sets a lock, if none is in the way. */
  public static NamespaceReply.Builder set(Tree tree, Identity who, long client, FileLock asked) {
    FileLock wanted = checked(client, asked);
    Inode inode = file(tree, who, wanted);
    Locks locks = tree.locks();
    List<FileLock> held = locks.of(wanted.getInode(), wanted.getKind());
    Optional<FileLock> obstacle = LockRules.inTheWay(held, wanted);
    LockResult.Builder result = LockResult.newBuilder();
    if (obstacle.isPresent()) {
      result.setConflict(obstacle.get());
      if (wanted.getKind() == LockKind.LOCK_KIND_FILE) {
        replace(locks, held, wanted, wanted.toBuilder().setType(LockType.LOCK_TYPE_NONE).build());
      }
    } else {
      replace(locks, held, wanted, wanted);
      result.setGranted(true);
      if (wanted.getType() != LockType.LOCK_TYPE_NONE) {
        result.setSession(session(tree, client));
      }
    }
    return NamespaceReply.newBuilder().setInode(inode).setLock(result);
  }

  /** Says what is in the way of a lock. */
  public static NamespaceReply.Builder test(Tree tree, Identity who, long client, FileLock asked) {
    FileLock wanted = checked(client, asked);
    Inode inode = file(tree, who, wanted);
    Optional<FileLock> obstacle = inTheWay(tree, wanted);
    LockResult.Builder result = LockResult.newBuilder().setGranted(obstacle.isEmpty());
    obstacle.ifPresent(result::setConflict);
    return NamespaceReply.newBuilder().setInode(inode).setLock(result);
  }

  /** Gives up all that a client has on an inode. */
  public static NamespaceReply.Builder release(Tree tree, long client, long inode) {
    tree.locks().removeOf(inode, client);
    return NamespaceReply.newBuilder();
  }

  /** Takes away the locks of clients that are gone. */
  public static void expire(Tree tree, List<Long> clients) {
    var gone = new HashSet<>(clients);
    Locks locks = tree.locks();
    if (clients.stream().anyMatch(client -> locks.session(client) != 0)) {
      locks.all().stream().filter(lock -> gone.contains(lock.getClient())).forEach(locks::remove);
      clients.forEach(locks::endSession);
    }
  }

  static Optional<FileLock> inTheWay(Tree tree, FileLock wanted) {
    return LockRules.inTheWay(tree.locks().of(wanted.getInode(), wanted.getKind()), wanted);
  }

  /** A lock with its client, over every byte if it is of a whole file. */
  static FileLock checked(long client, FileLock asked) {
    Refusal.unless(client != 0, ErrorCode.INVALID_ARGUMENT, "locks are of clients");
    Refusal.unless(
        asked.getKind() != LockKind.UNRECOGNIZED && asked.getType() != LockType.UNRECOGNIZED,
        ErrorCode.UNSUPPORTED,
        "a lock of a newer client");
    boolean whole = asked.getKind() != LockKind.LOCK_KIND_RANGE;
    long first = whole ? 0 : asked.getFirst();
    long last = whole ? Long.MAX_VALUE : asked.getLast();
    Refusal.unless(
        first >= 0 && first <= last,
        ErrorCode.INVALID_ARGUMENT,
        "range: first=" + first + " last=" + last);
    return asked.toBuilder().setClient(client).setFirst(first).setLast(last).build();
  }

  private static Inode file(Tree tree, Identity who, FileLock wanted) {
    Inode inode =
        tree.inode(wanted.getInode())
            .orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + wanted.getInode()));
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_FILE,
        ErrorCode.INVALID_ARGUMENT,
        "only files are locked: inode=" + inode.getId());
    if (wanted.getType() != LockType.LOCK_TYPE_NONE
        && !Permissions.allows(inode, who, Permissions.READ)) {
      Permissions.require(inode, who, Permissions.WRITE);
    }
    return inode;
  }

  private static void replace(Locks locks, List<FileLock> held, FileLock owner, FileLock set) {
    List<FileLock> own = held.stream().filter(lock -> LockRules.sameOwner(lock, owner)).toList();
    List<FileLock> after = LockRules.with(own, set);
    Refusal.unless(
        after.size() <= own.size() || held.size() - own.size() + after.size() <= LOCKS_MAX,
        ErrorCode.NO_LOCKS,
        "locks of inode=" + owner.getInode() + " max=" + LOCKS_MAX);
    var before = new HashSet<>(own);
    var kept = new HashSet<>(after);
    own.stream().filter(lock -> !kept.contains(lock)).forEach(locks::remove);
    after.stream().filter(lock -> !before.contains(lock)).forEach(locks::put);
  }

  private static long session(Tree tree, long client) {
    long session = tree.locks().session(client);
    if (session == 0) {
      session = tree.newSession();
      tree.locks().putSession(client, session);
    }
    return session;
  }
}
