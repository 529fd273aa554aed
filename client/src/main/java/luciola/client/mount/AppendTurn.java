package luciola.client.mount;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appending to a file in turns with other mounts: who has its append lock appends at the end that
 * it knows. It is kept until another mount waits for it or nobody here appends any more, so a mount
 * that appends alone asks once; and given up only when what was appended is durable and its length
 * known.
 */
final class AppendTurn {
  private static final Logger log = LoggerFactory.getLogger(AppendTurn.class);
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Time that the others get once a turn is given up for them. */
  private static final long OTHERS_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final Duration RETRY = Duration.ofSeconds(1);

  private final OpenInode file;
  private final LockOperations locks;
  private final FileLock lock;
  private final ReentrantLock turn = new ReentrantLock();
  private boolean held;
  private boolean closed;
  private long usedNanos;
  private long passedNanos = System.nanoTime() - OTHERS_NANOS;
  private @Nullable Thread watcher;

  /**
   * A turn that is not taken.
   *
   * @param number of it, of no other one of this mount
   */
  AppendTurn(long inode, long number, OpenInode file, LockOperations locks) {
    this.file = file;
    this.locks = locks;
    this.lock =
        FileLock.newBuilder()
            .setInode(inode)
            .setKind(LockKind.LOCK_KIND_APPEND)
            .setType(LockType.LOCK_TYPE_EXCLUSIVE)
            .setOwner(number)
            .setLast(Long.MAX_VALUE)
            .build();
  }

  private LockOwners.Owner owner() {
    return new LockOwners.Owner(lock.getKind(), lock.getOwner());
  }

  /** Appends; answers with how many bytes. */
  FuseReply append(long unique, MemorySegment bytes) {
    turn.lock();
    try {
      if (held && locks.isLost(lock.getInode())) {
        giveUp();
        throw new LuciolaException(
            ErrorCode.LOCK_LOST, "append: inode=" + lock.getInode() + " (the lease has ended)");
      }
      if (!held && !take(unique)) {
        return new FuseReply.Failed(Errno.EINTR);
      }
      file.append(bytes);
      usedNanos = System.nanoTime();
      return new FuseReply.Written((int) bytes.byteSize());
    } finally {
      turn.unlock();
    }
  }

  private boolean take(long unique) {
    if (closed) {
      throw new LuciolaException(
          ErrorCode.BAD_SESSION, "append: inode=" + lock.getInode() + " (closed)");
    }
    pause(Duration.ofNanos(Math.max(0, passedNanos + OTHERS_NANOS - System.nanoTime())));
    if (!(locks.acquire(unique, true, lock, owner(), file) instanceof FuseReply.Done)) {
      return false;
    }
    held = true;
    usedNanos = System.nanoTime();
    watcher = Thread.ofVirtual().name("append-turn").start(this::watch);
    return true;
  }

  private void watch() {
    boolean over = false;
    while (!over) {
      boolean wanted = awaitWanted();
      turn.lock();
      try {
        over = !Thread.currentThread().equals(watcher) || closed || !held;
        if (!over && (wanted || System.nanoTime() - usedNanos > IDLE_NANOS)) {
          over = passOn(wanted);
        }
      } finally {
        turn.unlock();
      }
      if (!over && wanted) {
        pause(RETRY);
      }
    }
  }

  private boolean awaitWanted() {
    try {
      LockResult result = locks.awaitWanted(lock);
      return result.getGranted() || result.getCrowded();
    } catch (LuciolaException e) {
      log.debug("append lock is not watched inode={} error={}", lock.getInode(), e.getMessage());
      pause(RETRY);
      return false;
    }
  }

  /** Gives the turn to others, if what was appended can be written. */
  private boolean passOn(boolean wanted) {
    try {
      if (!locks.isLost(lock.getInode())) {
        file.publish();
      }
      giveUp();
      if (wanted) {
        passedNanos = System.nanoTime();
      }
      return true;
    } catch (LuciolaException e) {
      log.warn("others cannot append yet inode={} error={}", lock.getInode(), e.getMessage());
      return false;
    }
  }

  private void giveUp() {
    locks.end(lock.getInode(), owner());
    held = false;
    watcher = null;
  }

  /** The file was closed, and what was appended with it. */
  void close() {
    turn.lock();
    try {
      closed = true;
      Thread watching = watcher;
      if (held) {
        giveUp();
      }
      if (watching != null) {
        watching.interrupt();
      }
    } finally {
      turn.unlock();
    }
  }

  private static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
