package luciola.cli.transfer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A bounded number of native buffers lent to copies: big ones of a chunk's default size, and small
 * ones for small files. Made when first needed, then kept.
 */
final class Buffers {
  /** Size of a big one. */
  static final int BIG_BYTES = 4 << 20;

  /** Size of a small one. */
  static final int SMALL_BYTES = 64 << 10;

  private final Pool big;
  private final Pool small;

  /**
   * Bounds of both.
   *
   * @param bigMax big buffers, at least one for each copy at once
   * @param smallMax small buffers, one for each copy at once
   */
  Buffers(int bigMax, int smallMax) {
    big = new Pool(BIG_BYTES, bigMax);
    small = new Pool(SMALL_BYTES, smallMax);
  }

  /** Buffers of one size, taken together. */
  record Lent(List<MemorySegment> segments, Pool from) implements AutoCloseable {
    @Override
    public void close() {
      from.giveBack(segments);
    }
  }

  /**
   * Waits for one buffer, and takes others that are free right now.
   *
   * @param bytes expected length of the file
   * @param most no more than so many
   */
  Lent take(long bytes, int most) throws InterruptedException {
    return bytes < SMALL_BYTES
        ? small.take(1)
        : big.take((int) Math.min(most, bytes / BIG_BYTES + 1));
  }

  /** Buffers of one size. */
  static final class Pool {
    private final int bytes;
    private final Semaphore lendable;
    private final ConcurrentLinkedQueue<MemorySegment> free = new ConcurrentLinkedQueue<>();

    Pool(int bytes, int max) {
      this.bytes = bytes;
      this.lendable = new Semaphore(max);
    }

    Lent take(int most) throws InterruptedException {
      lendable.acquire();
      int count = 1;
      while (count < most && lendable.tryAcquire()) {
        count++;
      }
      List<MemorySegment> taken = new ArrayList<>(count);
      while (taken.size() < count) {
        @Nullable MemorySegment kept = free.poll();
        // Not closed before the process ends: a read that failed late may still write into it.
        taken.add(kept != null ? kept : Arena.ofAuto().allocate(bytes, 4096));
      }
      return new Lent(taken, this);
    }

    private void giveBack(List<MemorySegment> segments) {
      free.addAll(segments);
      lendable.release(segments.size());
    }
  }
}
