package luciola.loader.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Two pieces of native memory used in turn: one may be filled while the other is written. Each is
 * allocated and touched once, and again only if a larger checkpoint comes, since first touch of
 * fresh pages costs many times a copy.
 */
final class StagingBuffers {
  /** One of the two; taken, filled, written, given back. */
  static final class Buffer {
    private Arena arena = Arena.ofShared();
    private MemorySegment memory = MemorySegment.NULL;

    /** Memory of at least that size; what was in it is lost. */
    MemorySegment atLeast(long bytes) {
      if (memory.byteSize() < bytes) {
        arena.close();
        arena = Arena.ofShared();
        memory = arena.allocate(bytes, 4096).fill((byte) 0);
      }
      return memory;
    }
  }

  private static final int BUFFERS = 2;

  private final BlockingQueue<Buffer> free = new ArrayBlockingQueue<>(BUFFERS);

  StagingBuffers() {
    for (int i = 0; i < BUFFERS; i++) {
      free.add(new Buffer());
    }
  }

  /** Waits while both are being written. */
  Buffer take() throws InterruptedException {
    return free.take();
  }

  /** Allocates and touches both for checkpoints of that size, ahead of the first. */
  void prepare(long bytes) throws InterruptedException {
    List<Buffer> both = List.of(take(), take());
    both.forEach(buffer -> buffer.atLeast(bytes));
    both.forEach(this::giveBack);
  }

  void giveBack(Buffer buffer) {
    free.add(buffer);
  }

  /** Frees the memory, once both are back. */
  void close() {
    for (Buffer buffer = free.poll(); buffer != null; buffer = free.poll()) {
      buffer.arena.close();
    }
  }
}
