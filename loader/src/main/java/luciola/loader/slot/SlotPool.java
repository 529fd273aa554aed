package luciola.loader.slot;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Who has which slot. A slot is free, or lent under a sequence number that is never used again; it
 * comes back only under that number, so a late or doubled return frees nothing it should not. The
 * slot that was free longest is lent next. For many threads.
 */
public final class SlotPool {
  private static final long FREE = 0;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Integer> free = new ArrayDeque<>();
  private final long[] lentAs;
  private long sequence;
  private boolean closed;

  /** A slot in somebody's hands. */
  public record Loan(int slot, long sequence) {}

  public SlotPool(int slots) {
    if (slots < 1) {
      throw new IllegalArgumentException("slots must be positive: slots=" + slots);
    }
    this.lentAs = new long[slots];
    for (int slot = 0; slot < slots; slot++) {
      free.add(slot);
    }
  }

  public int slots() {
    return lentAs.length;
  }

  /** Slots that are free now. */
  public int freeSlots() {
    lock.lock();
    try {
      return free.size();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a free slot; empty when the pool is closed. */
  public Optional<Loan> take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (free.isEmpty() && !closed) {
        changed.await();
      }
      if (closed) {
        return Optional.empty();
      }
      int slot = free.remove();
      lentAs[slot] = ++sequence;
      return Optional.of(new Loan(slot, sequence));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes a slot back.
   *
   * @return false if the slot is not lent under that number: the caller is confused
   */
  public boolean giveBack(int slot, long underSequence) {
    lock.lock();
    try {
      if (slot < 0 || slot >= lentAs.length || underSequence == FREE) {
        return false;
      }
      if (lentAs[slot] != underSequence) {
        return false;
      }
      lentAs[slot] = FREE;
      free.add(slot);
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Lends nothing more; whoever waits is told. */
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
