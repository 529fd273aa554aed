package luciola.storage.disk;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps something native (a descriptor, a database) open while anybody is in it: closing lets no
 * one in any more and waits for those who are. A use is short; it costs two atomic additions.
 *
 * <p>The count is of users, with the sign bit set once it is closed.
 */
public final class UseGuard {
  private static final long CLOSED = Long.MIN_VALUE;

  private final AtomicLong users = new AtomicLong();
  private final CountDownLatch unused = new CountDownLatch(1);

  /** Whether the caller may use it now; if so {@link #exit} follows. */
  public boolean enter() {
    if (users.incrementAndGet() > 0) {
      return true;
    }
    exit();
    return false;
  }

  /** The end of a use. */
  public void exit() {
    if (users.decrementAndGet() == CLOSED) {
      unused.countDown();
    }
  }

  /**
   * Lets nobody in any more and waits until everybody is out.
   *
   * @return whether this call closed it; false: another did or does, nothing is left to do
   */
  public boolean close() {
    long before = users.getAndUpdate(count -> count < 0 ? count : count + CLOSED);
    if (before < 0) {
      return false;
    }
    if (before > 0) {
      awaitUnused();
    }
    return true;
  }

  private void awaitUnused() {
    boolean interrupted = false;
    while (unused.getCount() > 0) {
      try {
        unused.await();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
