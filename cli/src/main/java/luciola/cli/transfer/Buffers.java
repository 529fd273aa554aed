package luciola.cli.transfer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/** A fixed number of native buffers, made once and lent to copies. */
final class Buffers {
  /** Size of each: one chunk of the default size. */
  static final int BUFFER_BYTES = 4 << 20;

  private final BlockingQueue<MemorySegment> free;

  Buffers(int count) {
    free = new ArrayBlockingQueue<>(count);
    for (int i = 0; i < count; i++) {
      // Not closed before the process ends: a read that failed late may still write into it.
      free.add(Arena.ofAuto().allocate(BUFFER_BYTES, 4096));
    }
  }

  /** Waits for one buffer, and takes up to {@code more} others that are free right now. */
  List<MemorySegment> take(int more) throws InterruptedException {
    List<MemorySegment> taken = new ArrayList<>();
    taken.add(free.take());
    for (int i = 0; i < more; i++) {
      @Nullable MemorySegment extra = free.poll();
      if (extra == null) {
        break;
      }
      taken.add(extra);
    }
    return taken;
  }

  void giveBack(List<MemorySegment> taken) {
    free.addAll(taken);
  }
}
