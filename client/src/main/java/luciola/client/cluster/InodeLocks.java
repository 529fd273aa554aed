package luciola.client.cluster;

import luciola.grpc.v1.AwaitLock;
import luciola.grpc.v1.CancelAwait;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.ReleaseLocks;
import luciola.grpc.v1.SetLock;
import luciola.grpc.v1.TestLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Advisory locks on files, held at the meta-servers for owners that this client numbers. They last
 * as long as the client's lease: who acts under one asks {@link #isHeld} before.
 */
public final class InodeLocks {
  private final Calls files;
  private final SessionKeeper sessions;

  /** One call of the namespace in somebody's name. */
  interface Calls {
    NamespaceReply call(Identity who, NamespaceRequest.Builder request);
  }

  InodeLocks(Calls files, SessionKeeper sessions) {
    this.files = files;
    this.sessions = sessions;
  }

  /**
   * Sets or gives up a lock; does not wait.
   *
   * @return the inode after it, and whether the lock was granted; a lock that was granted is of the
   *     session in the result
   */
  public NamespaceReply set(Identity who, FileLock lock) {
    NamespaceReply reply =
        files.call(
            who, NamespaceRequest.newBuilder().setSetLock(SetLock.newBuilder().setLock(lock)));
    LockResult result = reply.getLock();
    if (result.getGranted() && lock.getType() != LockType.LOCK_TYPE_NONE) {
      if (sessions.lease().granted(result.getSession())) {
        sessions.renew();
      }
      if (sessions.lease().isLost(result.getSession())) {
        throw new LuciolaException(
            ErrorCode.LOCK_LOST, "set lock: inode=" + lock.getInode() + " (the lease has ended)");
      }
    }
    return reply;
  }

  /** What is in the way of a lock. */
  public LockResult test(Identity who, FileLock lock) {
    return files
        .call(who, NamespaceRequest.newBuilder().setTestLock(TestLock.newBuilder().setLock(lock)))
        .getLock();
  }

  /**
   * Waits some seconds for a lock to be free; ends early, with CANCELLED, when the thread is
   * interrupted.
   *
   * @return whether it may be free now
   * @throws LuciolaException DEADLOCK if it would wait forever
   */
  public LockResult await(Identity who, FileLock lock) {
    try {
      return files
          .call(
              who, NamespaceRequest.newBuilder().setAwaitLock(AwaitLock.newBuilder().setLock(lock)))
          .getLock();
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.TIMED_OUT) {
        return LockResult.getDefaultInstance();
      }
      throw e;
    }
  }

  /** Waits some seconds for another client to wait for a lock that this one has. */
  public LockResult awaitWanted(FileLock held) {
    try {
      return files
          .call(
              Identity.getDefaultInstance(),
              NamespaceRequest.newBuilder()
                  .setAwaitLock(AwaitLock.newBuilder().setLock(held).setWanted(true)))
          .getLock();
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.TIMED_OUT) {
        return LockResult.getDefaultInstance();
      }
      throw e;
    }
  }

  /** Says that nobody waits for a lock any more. */
  public void cancel(FileLock lock) {
    files.call(
        Identity.getDefaultInstance(),
        NamespaceRequest.newBuilder().setCancelAwait(CancelAwait.newBuilder().setLock(lock)));
  }

  /** Gives up all locks on an inode. */
  public void release(long inode) {
    files.call(
        Identity.getDefaultInstance(),
        NamespaceRequest.newBuilder().setReleaseLocks(ReleaseLocks.newBuilder().setInode(inode)));
  }

  /**
   * Whether a lock of a session is still held, as far ahead as the lease goes. Asks the meta-server
   * where the lease has run out.
   */
  public boolean isHeld(long session) {
    LockLease lease = sessions.lease();
    if (lease.holds(session, System.nanoTime())) {
      return true;
    }
    if (lease.isLost(session)) {
      return false;
    }
    sessions.renew();
    return lease.holds(session, System.nanoTime());
  }

  /** From now on the lease is kept for one more that has locks. */
  public void began() {
    sessions.began();
  }

  /** See {@link #began}. */
  public void ended() {
    sessions.ended();
  }
}
