package luciola.protocol.control;

import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Sequences of a client's calls: which is next, and up to which one every call has ended, so that
 * the meta-server may forget its replies. A call that takes long, because it is sent again and
 * again, holds new ones up before the server forgets its reply. Any thread.
 */
public final class CallLedger {
  /** Replies that a meta-server remembers of one client: those of its newest sequences. */
  public static final int REMEMBERED = 4096;

  // No monitor: virtual threads that meet at one are woken by way of another thread.
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition firstEnded = lock.newCondition();
  private final TreeSet<Long> open = new TreeSet<>();
  private long last;

  CallLedger() {}

  /**
   * Begins a call.
   *
   * @return its sequence
   * @throws LuciolaException OVERLOADED if for so long a call is under way whose reply would be
   *     forgotten if this one were carried out
   */
  long begin(long timeoutNanos) throws InterruptedException {
    lock.lock();
    try {
      long left = timeoutNanos;
      while (!open.isEmpty() && last + 1 - open.first() >= REMEMBERED) {
        if (left <= 0) {
          throw new LuciolaException(
              ErrorCode.OVERLOADED, "first call under way: sequence=" + open.first());
        }
        left = firstEnded.awaitNanos(left);
      }
      last++;
      open.add(last);
      return last;
    } finally {
      lock.unlock();
    }
  }

  void end(long sequence) {
    lock.lock();
    try {
      boolean first = !open.isEmpty() && open.first() == sequence;
      open.remove(sequence);
      if (first) {
        firstEnded.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  long acknowledged() {
    lock.lock();
    try {
      return open.isEmpty() ? last : open.first() - 1;
    } finally {
      lock.unlock();
    }
  }
}
