package luciola.client.nio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Native memory of a file system that bytes of heap buffers pass through, in two sizes. What comes
 * back is kept, as far as {@link #KEPT_BYTES_MAX} reaches; the rest goes to the garbage collector.
 */
final class Bounces {
  static final int SMALL_BYTES = 64 << 10;
  static final int BIG_BYTES = 1 << 20;
  static final int KEPT_BYTES_MAX = 16 << 20;

  private final ConcurrentLinkedQueue<MemorySegment> small = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<MemorySegment> big = new ConcurrentLinkedQueue<>();
  private final AtomicInteger keptBytes = new AtomicInteger();

  /** A piece of memory, lent. */
  record Lent(MemorySegment segment, Bounces from) implements AutoCloseable {
    @Override
    public void close() {
      from.giveBack(segment);
    }
  }

  /** A big one if more bytes than a small one holds will pass. */
  Lent take(long bytes) {
    boolean fitsSmall = bytes <= SMALL_BYTES;
    MemorySegment kept = (fitsSmall ? small : big).poll();
    if (kept != null) {
      keptBytes.addAndGet((int) -kept.byteSize());
      return new Lent(kept, this);
    }
    // Not closed by hand: a read that failed late may still write into it.
    return new Lent(Arena.ofAuto().allocate(fitsSmall ? SMALL_BYTES : BIG_BYTES, 4096), this);
  }

  private void giveBack(MemorySegment segment) {
    int bytes = (int) segment.byteSize();
    if (keptBytes.addAndGet(bytes) > KEPT_BYTES_MAX) {
      keptBytes.addAndGet(-bytes);
      return;
    }
    (bytes == SMALL_BYTES ? small : big).add(segment);
  }
}
