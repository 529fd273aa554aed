package luciola.client.nio;

import java.io.IOException;
import java.nio.channels.FileLockInterruptionException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import luciola.client.cluster.InodeLocks;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
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
 * Locks of ranges at the meta-servers, where mounts and other processes see them. All locks of one
 * file system object have one owner, as all of a process have on a local file system.
 */
final class ServerLocks {
  private static final Logger log = LoggerFactory.getLogger(ServerLocks.class);
  private static final Identity SELF = Identity.getDefaultInstance();
  private static final Duration CROWDED_PAUSE = Duration.ofSeconds(1);

  /** Far from the numbers that a kernel gives to owners in a mount of the same client. */
  private static final AtomicLong OWNERS = new AtomicLong(0x6c75_6369_6f6c_6100L);

  private final InodeLocks locks;
  private final long owner = OWNERS.incrementAndGet();

  ServerLocks(InodeLocks locks) {
    this.locks = locks;
  }

  /**
   * A range of a file.
   *
   * @param last byte of it
   */
  record Range(long inode, long first, long last, boolean shared) {}

  /**
   * A lock that was granted.
   *
   * @param session that it is of
   * @param inode as it is under the lock
   */
  record Granted(long session, Inode inode) {}

  private FileLock message(Range range, LockType type) {
    return FileLock.newBuilder()
        .setInode(range.inode())
        .setKind(LockKind.LOCK_KIND_RANGE)
        .setType(type)
        .setOwner(owner)
        .setFirst(range.first())
        .setLast(range.last())
        .setPid((int) ProcessHandle.current().pid())
        .build();
  }

  private FileLock wanted(Range range) {
    return message(
        range, range.shared() ? LockType.LOCK_TYPE_SHARED : LockType.LOCK_TYPE_EXCLUSIVE);
  }

  /**
   * Sets a lock; null if others are in the way.
   *
   * @param path for errors
   */
  @Nullable Granted tryLock(String path, Range range) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      return set(path, wanted(range), range);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Sets a lock once nobody is in the way; null if it is not wanted any more.
   *
   * @param isWanted asked once in a while
   * @throws FileLockInterruptionException if the thread is interrupted; it still is, then
   */
  @Nullable Granted lock(String path, Range range, BooleanSupplier isWanted) throws IOException {
    FileLock wanted = wanted(range);
    while (isWanted.getAsBoolean()) {
      if (Thread.currentThread().isInterrupted()) {
        throw new FileLockInterruptionException();
      }
      Granted granted = set(path, wanted, range);
      if (granted != null) {
        return granted;
      }
      await(path, wanted);
    }
    return null;
  }

  private @Nullable Granted set(String path, FileLock wanted, Range range) throws IOException {
    try {
      NamespaceReply reply = locks.set(SELF, wanted);
      return reply.getLock().getGranted()
          ? new Granted(reply.getLock().getSession(), reply.getInode())
          : null;
    } catch (LuciolaException e) {
      boolean interrupted = Thread.interrupted();
      unlockQuietly(range); // Perhaps it was granted and the answer was lost.
      if (interrupted) {
        Thread.currentThread().interrupt();
        if (e.code() == ErrorCode.CANCELLED) {
          throw new FileLockInterruptionException();
        }
      }
      throw IoErrors.of(path, e);
    }
  }

  private void await(String path, FileLock wanted) throws IOException {
    try {
      LockResult result = locks.await(SELF, wanted);
      if (result.getCrowded()) {
        Thread.sleep(CROWDED_PAUSE);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.CANCELLED) {
        throw IoErrors.of(path, e);
      }
      var _ = Thread.interrupted();
      cancel(wanted);
      Thread.currentThread().interrupt();
    }
  }

  /** Who waits for a lock looks whether it still wants it. */
  void wake(Range range) {
    cancel(wanted(range));
  }

  private void cancel(FileLock wanted) {
    try {
      locks.cancel(wanted);
    } catch (LuciolaException e) {
      log.debug("a wait ends by itself inode={} error={}", wanted.getInode(), e.getMessage());
    }
  }

  /** Gives a lock up. */
  void unlock(String path, Range range) throws IOException {
    IoErrors.translated(path, () -> locks.set(SELF, message(range, LockType.LOCK_TYPE_NONE)));
  }

  private void unlockQuietly(Range range) {
    try {
      var _ = locks.set(SELF, message(range, LockType.LOCK_TYPE_NONE));
    } catch (LuciolaException e) {
      log.warn("a lock may last as long as this client: {} error={}", range, e.getMessage());
    }
  }

  /** Whether a lock of this session is still held; false also if nobody can say. */
  boolean isHeld(long session) {
    try {
      return locks.isHeld(session);
    } catch (LuciolaException e) {
      log.warn("locks cannot be asked after: session={} error={}", session, e.getMessage());
      return false;
    }
  }

  /** From now on the client's lease is kept for one lock more. */
  void began() {
    locks.began();
  }

  /** See {@link #began}. */
  void ended() {
    locks.ended();
  }
}
