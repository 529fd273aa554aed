package luciola.client.mount;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import luciola.client.cluster.InodeLocks;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseLock;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.NamespaceReply;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks of programs, held at the meta-servers so that all mounts see them. What was written under a
 * lock is known to all before the lock is given up, and nothing older is read after one is granted.
 * A program that had a lock when this mount lost its lease gets errors for that file until it
 * unlocks or closes it.
 */
final class LockOperations implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LockOperations.class);

  private final InodeLocks locks;
  private final long client;
  private final OpenFiles open;
  private final PageCache pages;
  private final LockWaiters waiters = new LockWaiters();
  private final ConcurrentHashMap<Long, LockOwners> held = new ConcurrentHashMap<>();

  LockOperations(InodeLocks locks, long client, OpenFiles open, PageCache pages) {
    this.locks = locks;
    this.client = client;
    this.open = open;
    this.pages = pages;
  }

  private static FileLock lock(long inode, long owner, LockKind kind, FuseLock asked) {
    return FileLock.newBuilder()
        .setInode(inode)
        .setKind(kind)
        .setType(
            switch (asked.type()) {
              case FuseLock.READ -> LockType.LOCK_TYPE_SHARED;
              case FuseLock.WRITE -> LockType.LOCK_TYPE_EXCLUSIVE;
              default -> LockType.LOCK_TYPE_NONE;
            })
        .setOwner(owner)
        .setFirst(asked.first())
        .setLast(asked.last())
        .setPid(asked.pid())
        .build();
  }

  private static FileLock none(long inode, LockOwners.Owner owner) {
    return FileLock.newBuilder()
        .setInode(inode)
        .setKind(owner.kind())
        .setOwner(owner.number())
        .setLast(Long.MAX_VALUE)
        .build();
  }

  FuseReply test(FuseCall call, FuseOperation.GetLock asked) {
    LockResult result =
        locks.test(
            Callers.MOUNT,
            lock(call.node(), asked.owner(), LockKind.LOCK_KIND_RANGE, asked.lock()));
    if (!result.hasConflict()) {
      return new FuseReply.Locked(new FuseLock(0, 0, FuseLock.NONE, 0));
    }
    FileLock conflict = result.getConflict();
    // A process of another mount has no number here.
    return new FuseReply.Locked(
        new FuseLock(
            conflict.getFirst(),
            conflict.getLast(),
            conflict.getType() == LockType.LOCK_TYPE_EXCLUSIVE ? FuseLock.WRITE : FuseLock.READ,
            conflict.getClient() == client ? conflict.getPid() : 0));
  }

  /** A call that will wait has come. */
  void begin(long unique) {
    waiters.begin(unique);
  }

  /** Who made a call does not want to wait any more. */
  void interrupt(long unique) {
    waiters.interrupt(unique);
  }

  FuseReply set(FuseCall call, FuseOperation.SetLock asked) {
    LockKind kind = asked.wholeFile() ? LockKind.LOCK_KIND_FILE : LockKind.LOCK_KIND_RANGE;
    FileLock wanted = lock(call.node(), asked.owner(), kind, asked.lock());
    var owner = new LockOwners.Owner(kind, asked.owner());
    OpenInode file = open.file(asked.handle());
    try {
      if (file != null
          && wanted.getType() != LockType.LOCK_TYPE_EXCLUSIVE
          && !isLost(call.node())) {
        // Who has the lock next sees what was written under this one.
        file.publish();
      }
    } catch (LuciolaException e) {
      if (wanted.getType() == LockType.LOCK_TYPE_NONE) {
        unlock(wanted, owner);
      }
      throw e;
    }
    if (wanted.getType() == LockType.LOCK_TYPE_NONE) {
      unlock(wanted, owner);
      return FuseReply.OK;
    }
    return acquire(call.unique(), asked.waits(), wanted, owner, file);
  }

  private void unlock(FileLock lock, LockOwners.Owner owner) {
    LockOwners owners = held.get(lock.getInode());
    if (owners == null || !owners.has(owner)) {
      return;
    }
    locks.set(Callers.MOUNT, lock);
    if (owner.kind() != LockKind.LOCK_KIND_RANGE
        || (lock.getFirst() == 0 && lock.getLast() == Long.MAX_VALUE)) {
      forget(lock.getInode(), owner);
    }
  }

  /** A call does not wait any more. */
  void end(long unique) {
    waiters.end(unique);
  }

  /** Waits some seconds for another mount to wait for a lock that this one has. */
  LockResult awaitWanted(FileLock lock) {
    return locks.awaitWanted(lock);
  }

  /** Sets a lock, waiting for it if that is asked for: OK, or what the program is told. */
  FuseReply acquire(
      long unique,
      boolean waits,
      FileLock wanted,
      LockOwners.Owner owner,
      @Nullable OpenInode file) {
    remember(wanted.getInode(), owner);
    boolean granted = false;
    try {
      require(wanted.getInode());
      while (true) {
        NamespaceReply reply = locks.set(Callers.MOUNT, wanted);
        if (reply.getLock().getGranted()) {
          granted = true;
          got(wanted.getInode(), owner, reply.getLock().getSession());
          if (file != null) {
            file.learn(reply.getInode());
          }
          pages.refresh(reply.getInode());
          return FuseReply.OK;
        }
        if (!waits) {
          return new FuseReply.Failed(Errno.EAGAIN);
        }
        if (!waiters.await(unique, locks, wanted)) {
          return new FuseReply.Failed(Errno.EINTR);
        }
      }
    } catch (LuciolaException e) {
      // Perhaps it was granted and the answer was lost: it stays remembered and ends with a close.
      granted = e.code() != ErrorCode.DEADLOCK;
      throw e;
    } finally {
      if (!granted) {
        forgetUnheld(wanted.getInode(), owner);
      }
    }
  }

  private void remember(long inode, LockOwners.Owner owner) {
    held.compute(
        inode,
        (_, owners) -> {
          LockOwners now = owners;
          if (now == null) {
            locks.began();
            now = new LockOwners();
          }
          now.add(owner);
          return now;
        });
  }

  private void got(long inode, LockOwners.Owner owner, long session) {
    held.compute(
        inode,
        (_, owners) -> {
          LockOwners now = owners;
          if (now == null) {
            locks.began();
            now = new LockOwners();
          }
          now.got(owner, session);
          return now;
        });
  }

  private void forget(long inode, LockOwners.Owner owner) {
    held.computeIfPresent(
        inode,
        (_, owners) -> {
          owners.remove(owner);
          return unlessEmpty(owners);
        });
  }

  private void forgetUnheld(long inode, LockOwners.Owner owner) {
    held.computeIfPresent(
        inode,
        (_, owners) -> {
          owners.removeUnheld(owner);
          return unlessEmpty(owners);
        });
  }

  private @Nullable LockOwners unlessEmpty(LockOwners owners) {
    if (owners.isEmpty()) {
      locks.ended();
      return null;
    }
    return owners;
  }

  /** Whether programs of this mount may have locks on a file. */
  boolean mayHave(long inode) {
    return held.containsKey(inode);
  }

  /**
   * Refuses to go on with a file on which a lock was lost.
   *
   * @throws LuciolaException LOCK_LOST
   */
  void require(long inode) {
    if (isLost(inode)) {
      throw new LuciolaException(
          ErrorCode.LOCK_LOST, "a lock ended with this mount's lease: inode=" + inode);
    }
  }

  /** Whether a lock on a file was lost; what was written under it and not sent yet is then, too. */
  boolean isLost(long inode) {
    LockOwners owners = held.get(inode);
    if (owners == null) {
      return false;
    }
    for (long session : owners.sessions()) {
      if (!locks.isHeld(session)) {
        OpenInode file = open.ofInode(inode);
        if (file != null && owners.isNewlyLost(session)) {
          log.warn("a lock ended with this mount's lease inode={} session={}", inode, session);
          file.lose();
        }
        return true;
      }
    }
    return false;
  }

  /** A descriptor of an owner was closed. */
  void closed(long inode, long owner) {
    end(inode, new LockOwners.Owner(LockKind.LOCK_KIND_RANGE, owner));
  }

  /** An owner gives up all it has on a file. */
  void end(long inode, LockOwners.Owner owner) {
    LockOwners owners = held.get(inode);
    if (owners != null && owners.has(owner)) {
      unlock(none(inode, owner), owner);
    }
  }

  /** An open file is gone, and with the last one of an inode whatever was not unlocked. */
  void released(long inode, FuseOperation.Release asked) {
    if (asked.unlocks()) {
      end(inode, new LockOwners.Owner(LockKind.LOCK_KIND_FILE, asked.lockOwner()));
    }
    LockOwners owners = held.get(inode);
    if (owners != null && open.ofInode(inode) == null) {
      owners.all().stream()
          .filter(owner -> owner.kind() != LockKind.LOCK_KIND_APPEND)
          .forEach(owner -> end(inode, owner));
    }
  }

  /** Gives up everything: the mount ends. */
  @Override
  public void close() {
    waiters.close();
    for (long inode : List.copyOf(held.keySet())) {
      try {
        locks.release(inode);
      } catch (LuciolaException e) {
        log.warn("locks end with the lease inode={} error={}", inode, e.getMessage());
      }
      held.computeIfPresent(
          inode,
          (_, _) -> {
            locks.ended();
            return null;
          });
    }
  }
}
