package luciola.protocol.connection;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A bounded amount of native memory for payloads, handed out in blocks of a power of two from 4 KiB
 * to {@link #BLOCK_BYTES_MAX}, aligned to 4 KiB, and used again and again (the first touch of a
 * fresh page costs more than everything else on the path).
 *
 * <p>A buddy allocator: the memory is slabs of the largest block; a free block is split in halves
 * until it fits, and joined with its other half when both are free. Lowest addresses go first, so
 * that few pages are ever touched while the load is low.
 *
 * <p>Whoever finds it exhausted may wait with {@link #whenFreed}; nobody blocks.
 */
public final class PayloadPool implements AutoCloseable {
  public static final int BLOCK_BYTES_MIN = PayloadBuffer.ALIGNMENT;
  public static final int BLOCK_BYTES_MAX = 1 << 26;

  private static final int ORDERS =
      Integer.numberOfTrailingZeros(BLOCK_BYTES_MAX)
          - Integer.numberOfTrailingZeros(BLOCK_BYTES_MIN)
          + 1;

  private static final MethodHandle ALIGNED_ALLOC =
      downcall(
          "aligned_alloc",
          FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      downcall("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;
  private final ReentrantLock lock = new ReentrantLock();

  /** For each order the free blocks of {@code BLOCK_BYTES_MIN << order} bytes, by their number. */
  private final List<BitSet> free = new ArrayList<>();

  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private long freeBytes;
  private boolean closed;

  /**
   * Takes address space at once and memory as it is used.
   *
   * @param capacityBytes a multiple of {@link #BLOCK_BYTES_MAX}
   */
  public PayloadPool(long capacityBytes) {
    if (capacityBytes < BLOCK_BYTES_MAX || capacityBytes % BLOCK_BYTES_MAX != 0) {
      throw new IllegalArgumentException(
          "payload pool must be a multiple of 64 MiB: capacityBytes=" + capacityBytes);
    }
    memory = untouched(capacityBytes);
    for (int order = 0; order < ORDERS; order++) {
      free.add(new BitSet());
    }
    free.get(ORDERS - 1).set(0, Math.toIntExact(capacityBytes / BLOCK_BYTES_MAX));
    freeBytes = capacityBytes;
  }

  /** All of it, free or not. */
  public long capacityBytes() {
    return memory.byteSize();
  }

  /** What is free, though perhaps in small pieces. */
  public long freeBytes() {
    lock.lock();
    try {
      return freeBytes;
    } finally {
      lock.unlock();
    }
  }

  /** A buffer of so many bytes, with one reference; empty when the pool is exhausted. */
  public Optional<PayloadBuffer> tryAcquire(int bytes) {
    return tryAcquire(bytes, 0);
  }

  /**
   * A buffer, unless it would leave fewer free bytes than {@code reserveBytes}.
   *
   * @param bytes 0 … {@link #BLOCK_BYTES_MAX}
   */
  public Optional<PayloadBuffer> tryAcquire(int bytes, long reserveBytes) {
    if (bytes < 0 || bytes > BLOCK_BYTES_MAX) {
      throw new IllegalArgumentException("bad payload buffer: bytes=" + bytes);
    }
    if (bytes == 0) {
      return Optional.of(PayloadBuffer.empty());
    }
    int order = orderOf(bytes);
    lock.lock();
    try {
      if (closed || freeBytes - blockBytes(order) < reserveBytes) {
        return Optional.empty();
      }
      int number = take(order);
      if (number < 0) {
        return Optional.empty();
      }
      freeBytes -= blockBytes(order);
      MemorySegment block = memory.asSlice(number * blockBytes(order), blockBytes(order));
      return Optional.of(new PayloadBuffer(block, bytes, this));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Runs the task once after the next release, on the releasing thread: it must not block. Meant
   * for trying again after a failed {@link #tryAcquire}; since memory may have come back in
   * between, try once more after registering.
   */
  public void whenFreed(Runnable task) {
    lock.lock();
    try {
      waiting.add(task);
    } finally {
      lock.unlock();
    }
  }

  void giveBack(MemorySegment block) {
    int order = orderOf(Math.toIntExact(block.byteSize()));
    long offset = block.address() - memory.address();
    List<Runnable> woken;
    lock.lock();
    try {
      put(order, Math.toIntExact(offset / blockBytes(order)));
      freeBytes += blockBytes(order);
      woken = List.copyOf(waiting);
      waiting.clear();
      if (closed && freeBytes == memory.byteSize()) {
        arena.close();
      }
    } finally {
      lock.unlock();
    }
    woken.forEach(Runnable::run);
  }

  /** Hands out no more; the memory goes when the last buffer has come back. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed && freeBytes == memory.byteSize()) {
        arena.close();
      }
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the memory back at once, buffers that are out included: only where nobody can touch them
   * any more, as after a simulated death.
   */
  public void abandon() {
    lock.lock();
    try {
      closed = true;
      freeBytes = Long.MIN_VALUE / 2;
      arena.close();
    } finally {
      lock.unlock();
    }
  }

  /** Memory that the kernel provides page by page as it is touched; an arena would zero it all. */
  @SuppressWarnings("restricted")
  private MemorySegment untouched(long bytes) {
    try {
      var address = (MemorySegment) ALIGNED_ALLOC.invokeExact(PayloadBuffer.ALIGNMENT * 1L, bytes);
      if (address.equals(MemorySegment.NULL)) {
        throw new LuciolaException(
            ErrorCode.OVERLOADED, "allocate payload pool: no memory: bytes=" + bytes);
      }
      return address.reinterpret(bytes, arena, PayloadPool::free);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static void free(MemorySegment address) {
    try {
      FREE.invokeExact(address);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private int take(int order) {
    int number = free.get(order).nextSetBit(0);
    if (number >= 0) {
      free.get(order).clear(number);
      return number;
    }
    if (order == ORDERS - 1) {
      return -1;
    }
    int parent = take(order + 1);
    if (parent < 0) {
      return -1;
    }
    free.get(order).set(parent * 2 + 1);
    return parent * 2;
  }

  private void put(int order, int number) {
    BitSet level = free.get(order);
    int buddy = number ^ 1;
    if (order < ORDERS - 1 && level.get(buddy)) {
      level.clear(buddy);
      put(order + 1, number >> 1);
    } else {
      level.set(number);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle downcall(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }

  private static int orderOf(int bytes) {
    int blocks = (bytes + BLOCK_BYTES_MIN - 1) / BLOCK_BYTES_MIN;
    return 32 - Integer.numberOfLeadingZeros(blocks - 1);
  }

  private static long blockBytes(int order) {
    return (long) BLOCK_BYTES_MIN << order;
  }
}
