package luciola.protocol.connection;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A piece of a {@link PayloadPool}, aligned to 4 KiB and counted by references: made with one,
 * given back to the pool with the last {@link #release()}. Any thread may retain and release.
 */
public final class PayloadBuffer {
  /** Alignment of the memory and unit of {@link #padded()}. */
  public static final int ALIGNMENT = 4096;

  private static final PayloadBuffer EMPTY = new PayloadBuffer(MemorySegment.NULL, 0, null);

  private final MemorySegment block;
  private final int bytes;
  private final @Nullable PayloadPool pool;
  private final AtomicInteger references = new AtomicInteger(1);

  PayloadBuffer(MemorySegment block, int bytes, @Nullable PayloadPool pool) {
    this.block = block;
    this.bytes = bytes;
    this.pool = pool;
  }

  /** No bytes; retaining and releasing it does nothing. */
  public static PayloadBuffer empty() {
    return EMPTY;
  }

  /** Number of payload bytes. */
  public int bytes() {
    return bytes;
  }

  /** The payload. */
  public MemorySegment segment() {
    check();
    return block.asSlice(0, bytes);
  }

  /**
   * The payload followed by zeros up to a multiple of 4 KiB, as a direct write to a file wants it.
   */
  public MemorySegment padded() {
    check();
    long end = (bytes + ALIGNMENT - 1L) / ALIGNMENT * ALIGNMENT;
    block.asSlice(bytes, end - bytes).fill((byte) 0);
    return block.asSlice(0, end);
  }

  /** The whole block: at least {@link #bytes()}, a multiple of 4 KiB; the rest is arbitrary. */
  public MemorySegment block() {
    check();
    return block;
  }

  /** One more owner. */
  public PayloadBuffer retain() {
    if (pool != null && references.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
      throw new IllegalStateException("payload buffer used after its release: bytes=" + bytes);
    }
    return this;
  }

  /** One owner less; the last gives the memory back. */
  public void release() {
    if (pool == null) {
      return;
    }
    int left = references.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("payload buffer released twice: bytes=" + bytes);
    }
    if (left == 0) {
      pool.giveBack(block);
    }
  }

  private void check() {
    if (pool != null && references.get() <= 0) {
      throw new IllegalStateException("payload buffer used after its release: bytes=" + bytes);
    }
  }
}
