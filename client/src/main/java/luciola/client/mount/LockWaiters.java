package luciola.client.mount;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import luciola.client.cluster.InodeLocks;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockResult;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls that wait for locks, each in one long read of the meta-server at a time. They end when
 * their program is interrupted; a lock that is being set just then is not, so that nobody has one
 * without knowing.
 */
final class LockWaiters {
  private static final Logger log = LoggerFactory.getLogger(LockWaiters.class);

  /** Waits at the meta-server; more ask once in a while. */
  private static final int WAITS_MAX = 256;

  private static final Duration CROWDED_PAUSE = Duration.ofSeconds(1);
  private static final int EARLY_MAX = 256;

  private final ConcurrentHashMap<Long, Waiter> waiters = new ConcurrentHashMap<>();
  private final Semaphore waits = new Semaphore(WAITS_MAX);

  /** Interrupts that were read before the calls they are for, among others that are for none. */
  private final Map<Long, Boolean> early =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
          return size() > EARLY_MAX;
        }
      };

  private boolean closed;

  private static final class Waiter {
    private @Nullable Thread waiting;
    private boolean interrupted;

    synchronized boolean enter() {
      waiting = interrupted ? null : Thread.currentThread();
      return !interrupted;
    }

    synchronized void leave() {
      waiting = null;
      var _ = Thread.interrupted();
    }

    synchronized void interrupt() {
      interrupted = true;
      if (waiting != null) {
        waiting.interrupt();
      }
    }

    synchronized boolean isInterrupted() {
      return interrupted;
    }
  }

  synchronized void begin(long unique) {
    var waiter = new Waiter();
    waiters.put(unique, waiter);
    if (closed || early.remove(unique) != null) {
      waiter.interrupt();
    }
  }

  synchronized void interrupt(long unique) {
    Waiter waiter = waiters.get(unique);
    if (waiter == null) {
      early.put(unique, true);
    } else {
      waiter.interrupt();
    }
  }

  void end(long unique) {
    waiters.remove(unique);
  }

  /** Returns true once a lock may be free, false if the call is not to wait any more. */
  boolean await(long unique, InodeLocks locks, FileLock wanted) {
    Waiter waiter = waiters.get(unique);
    while (waiter != null && !waiter.isInterrupted()) {
      boolean mayTry = awaitOnce(waiter, locks, wanted);
      if (waiter.isInterrupted()) {
        cancel(locks, wanted);
        return false;
      }
      if (mayTry) {
        return true;
      }
    }
    return false;
  }

  private static void cancel(InodeLocks locks, FileLock wanted) {
    try {
      locks.cancel(wanted);
    } catch (LuciolaException e) {
      log.debug("a wait ends by itself inode={} error={}", wanted.getInode(), e.getMessage());
    }
  }

  private boolean awaitOnce(Waiter waiter, InodeLocks locks, FileLock wanted) {
    if (!waiter.enter()) {
      return false;
    }
    boolean admitted = waits.tryAcquire();
    try {
      LockResult result =
          admitted
              ? locks.await(Callers.MOUNT, wanted)
              : LockResult.newBuilder().setCrowded(true).build();
      if (result.getCrowded()) {
        Thread.sleep(CROWDED_PAUSE);
        return locks.test(Callers.MOUNT, wanted).getGranted();
      }
      return result.getGranted();
    } catch (InterruptedException _) {
      return false;
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.CANCELLED) {
        return false;
      }
      throw e;
    } finally {
      if (admitted) {
        waits.release();
      }
      waiter.leave();
    }
  }

  /** Nobody waits any more. */
  synchronized void close() {
    closed = true;
    waiters.values().forEach(Waiter::interrupt);
  }
}
