package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import luciola.client.cluster.ChunkUpdates.PendingUpdate;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Written bytes of one file on their way to the storage-servers.
 *
 * <p>A file is cut in units (a chunk, or 4 MiB of a larger chunk). A unit's bytes gather in a
 * buffer as long as they are contiguous; a full one is sent at once, another when told. Buffers of
 * one unit are sent one after the other, those of different units in parallel. The first unit's
 * buffer begins small and grows once.
 *
 * <pre>
 *   FILLING → QUEUED → SENDING → (gone)
 *                         ↓ ↑
 *                       FAILED        keeps its bytes; sent again by retry()
 * </pre>
 *
 * <p>The file's writers come one at a time (its lock); only outcomes come beside them, and touch no
 * buffer that is FILLING.
 */
final class WriteBack {
  static final int UNIT_BYTES_MAX = 1 << 22;

  /** What a file begins with: most files are small, and many may be open. */
  static final int FIRST_BYTES = 1 << 16;

  private final FileChunks chunks;
  private final ChunkUpdates updates;
  private final IntFunction<PayloadBuffer> memory;
  private final int unitBytes;
  private final Map<Long, ArrayDeque<Buffer>> units = new HashMap<>();
  private int sending;
  private int failed;
  private @Nullable LuciolaException unreported;

  /**
   * Nothing written yet.
   *
   * @param memory gives a buffer of so many bytes, waiting for one if need be
   */
  WriteBack(FileChunks chunks, ChunkUpdates updates, IntFunction<PayloadBuffer> memory) {
    this.chunks = chunks;
    this.updates = updates;
    this.memory = memory;
    this.unitBytes = Math.min(chunks.layout().chunkBytes(), UNIT_BYTES_MAX);
  }

  /** Where the bytes of a buffer stand. */
  private enum State {
    FILLING,
    QUEUED,
    SENDING,
    FAILED
  }

  /** Contiguous bytes {@code [from, to)} of a unit. */
  private static final class Buffer {
    final long unit;
    PayloadBuffer memory;
    int from;
    int to;
    State state = State.FILLING;
    @Nullable PendingUpdate update;

    Buffer(long unit, PayloadBuffer memory, int from) {
      this.unit = unit;
      this.memory = memory;
      this.from = from;
      this.to = from;
    }

    void moveTo(PayloadBuffer larger) {
      MemorySegment.copy(memory.segment(), from, larger.segment(), from, to - from);
      memory.release();
      memory = larger;
    }

    boolean joins(int start, int end) {
      return state == State.FILLING && start <= to && end >= from;
    }

    PendingUpdate update() {
      PendingUpdate prepared = update;
      if (prepared == null) {
        throw new IllegalStateException("not prepared: unit=" + unit + " state=" + state);
      }
      return prepared;
    }
  }

  /** Takes a copy of the bytes; full buffers start on their way. */
  void put(long offset, MemorySegment from) {
    long done = 0;
    while (done < from.byteSize()) {
      long unit = (offset + done) / unitBytes;
      int start = (int) ((offset + done) % unitBytes);
      int count = (int) Math.min(unitBytes - start, from.byteSize() - done);
      Buffer buffer = bufferFor(unit, start, start + count);
      MemorySegment.copy(from, done, buffer.memory.segment(), start, count);
      buffer.from = Math.min(buffer.from, start);
      buffer.to = Math.max(buffer.to, start + count);
      if (buffer.to == unitBytes) {
        queue(buffer);
      }
      done += count;
    }
  }

  private Buffer bufferFor(long unit, int start, int end) {
    Buffer last = lastOf(unit);
    if (last != null && last.joins(start, end) && end <= last.memory.bytes()) {
      return last;
    }
    if (last != null && last.state == State.FILLING && !last.joins(start, end)) {
      queue(last);
    }
    PayloadBuffer room =
        memory.apply(unit == 0 && last == null && end <= FIRST_BYTES ? FIRST_BYTES : unitBytes);
    // Who waits for memory may have sent what was gathering.
    if (last != null && last.joins(start, end)) {
      last.moveTo(room);
      return last;
    }
    Buffer made = new Buffer(unit, room, start);
    synchronized (this) {
      units.computeIfAbsent(unit, _ -> new ArrayDeque<>()).add(made);
    }
    return made;
  }

  private synchronized @Nullable Buffer lastOf(long unit) {
    ArrayDeque<Buffer> queue = units.get(unit);
    return queue == null ? null : queue.peekLast();
  }

  /** Sends what is still gathering. */
  void flush() {
    List<Buffer> filling = new ArrayList<>();
    synchronized (this) {
      for (ArrayDeque<Buffer> queue : units.values()) {
        Buffer last = queue.peekLast();
        if (last != null && last.state == State.FILLING) {
          filling.add(last);
        }
      }
    }
    filling.forEach(this::queue);
  }

  private void queue(Buffer buffer) {
    long position = buffer.unit * unitBytes + buffer.from;
    int index = chunks.layout().chunkIndex(position);
    buffer.update =
        updates.write(
            chunks.chainOf(index),
            chunks.chunk(index),
            chunks.layout().offsetInChunk(position),
            chunks.layout().chunkBytes(),
            buffer.memory.segment().asSlice(buffer.from, buffer.to - buffer.from));
    boolean first;
    synchronized (this) {
      buffer.state = State.QUEUED;
      first = units.getOrDefault(buffer.unit, new ArrayDeque<>()).peekFirst() == buffer;
      if (first) {
        buffer.state = State.SENDING;
        sending++;
      }
    }
    if (first) {
      send(buffer);
    }
  }

  private void send(Buffer buffer) {
    var _ = buffer.update().send().whenComplete((_, error) -> ended(buffer, error));
  }

  private void ended(Buffer buffer, @Nullable Throwable error) {
    Buffer next = null;
    synchronized (this) {
      sending--;
      if (error != null) {
        buffer.state = State.FAILED;
        failed++;
        unreported = fault(error);
      } else {
        next = removeFirst(buffer);
        if (next != null) {
          next.state = State.SENDING;
          sending++;
        }
      }
      notifyAll();
    }
    if (error == null) {
      buffer.memory.release();
    }
    if (next != null) {
      send(next);
    }
  }

  /** Takes the buffer off its queue; returns the next one if that is to be sent. */
  private @Nullable Buffer removeFirst(Buffer buffer) {
    ArrayDeque<Buffer> queue = units.getOrDefault(buffer.unit, new ArrayDeque<>());
    if (queue.pollFirst() != buffer) {
      throw new IllegalStateException("out of order: unit=" + buffer.unit);
    }
    Buffer next = queue.peekFirst();
    if (next == null) {
      units.remove(buffer.unit);
    }
    return next != null && next.state == State.QUEUED ? next : null;
  }

  private static LuciolaException fault(Throwable error) {
    return error instanceof LuciolaException fault
        ? fault
        : error.getCause() instanceof LuciolaException cause
            ? cause
            : new LuciolaException(ErrorCode.INTERNAL, "write back", error);
  }

  /** The error of a background write that nobody was told yet; now the caller is. */
  synchronized @Nullable LuciolaException takeUnreported() {
    LuciolaException fault = unreported;
    unreported = null;
    return fault;
  }

  /** Sends again what failed. */
  void retry() {
    List<Buffer> again = new ArrayList<>();
    synchronized (this) {
      if (failed == 0) {
        return;
      }
      for (ArrayDeque<Buffer> queue : units.values()) {
        Buffer first = queue.peekFirst();
        if (first != null && first.state == State.FAILED) {
          first.state = State.SENDING;
          failed--;
          sending++;
          again.add(first);
        }
      }
      unreported = null;
    }
    again.forEach(this::send);
  }

  /**
   * Waits until nothing is on its way.
   *
   * @return the error if something failed: it is kept for {@link #retry}
   */
  synchronized @Nullable LuciolaException awaitSent() {
    boolean interrupted = false;
    while (sending > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    LuciolaException fault = unreported;
    unreported = null;
    return failed == 0 ? null : fault;
  }

  /** Bytes lie in buffers, sent or not. */
  synchronized boolean isEmpty() {
    return units.isEmpty();
  }

  /** Gives all memory back, written or not. Nothing may be on its way. */
  synchronized void abandon() {
    for (ArrayDeque<Buffer> queue : units.values()) {
      for (Buffer buffer : queue) {
        if (buffer.update != null) {
          buffer.update.abandon();
        }
        buffer.memory.release();
      }
    }
    units.clear();
    failed = 0;
  }
}
