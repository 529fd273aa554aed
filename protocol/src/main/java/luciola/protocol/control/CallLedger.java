package luciola.protocol.control;

import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sequences of a client's calls: which is next, and up to which one every call has ended, so that
 * the meta-server may forget its replies. Any thread.
 */
final class CallLedger {
  // No monitor: virtual threads that meet at one are woken by way of another thread.
  private final ReentrantLock lock = new ReentrantLock();
  private final TreeSet<Long> open = new TreeSet<>();
  private long last;

  long begin() {
    lock.lock();
    try {
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
      open.remove(sequence);
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
