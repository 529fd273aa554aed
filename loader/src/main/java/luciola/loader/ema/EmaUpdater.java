package luciola.loader.ema;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import luciola.loader.safetensors.DType;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a share of the average up to date on a thread of its own: {@link #submit} copies the
 * parameters and returns; updates happen in the order of submission. Used by one thread.
 *
 * <p>The average lags behind by {@code lagMax} updates at most: when all copies are waiting, submit
 * waits too. A failed update is thrown by the next call and by every one after it, since the
 * average is then of no use.
 */
public final class EmaUpdater implements AutoCloseable {
  private final EmaShard shard;
  private final DType type;
  private final Arena arena = Arena.ofShared();
  private final BlockingQueue<MemorySegment> free;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("luciola-ema").daemon().factory());
  private volatile @Nullable Throwable failure;
  private @Nullable Future<?> last;

  /**
   * Starts the thread and touches the memory of the copies.
   *
   * @param type of the parameters that will be submitted: F32, BF16 or F16
   * @param lagMax copies that may wait, at least 1
   */
  public EmaUpdater(EmaShard shard, DType type, int lagMax) {
    if (lagMax < 1 || lagMax > 64) {
      throw new IllegalArgumentException("lagMax must be from 1 to 64: lagMax=" + lagMax);
    }
    this.shard = shard;
    this.type = type;
    long bytes = Math.max(1, shareBytes());
    this.free = new ArrayBlockingQueue<>(lagMax);
    IntStream.range(0, lagMax)
        .forEach(_ -> free.add(arena.allocate(bytes, 64).fill((byte) 0).asSlice(0, shareBytes())));
  }

  private long shareBytes() {
    return shard.range().elements() * type.bits() / 8;
  }

  /**
   * Takes the parameters as they are now.
   *
   * @param flat all parameters of the model; only the share is copied
   */
  public void submit(MemorySegment flat) throws InterruptedException {
    raiseFailure();
    MemorySegment copy = free.take();
    copy.copyFrom(flat.asSlice(shard.range().begin() * type.bits() / 8, shareBytes()));
    last = thread.submit(() -> apply(copy));
  }

  private void apply(MemorySegment copy) {
    try {
      if (failure == null) {
        shard.update(copy, type);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    } finally {
      free.add(copy);
    }
  }

  /** Waits until the average holds everything submitted; it may then be read until the next. */
  public EmaShard drained() throws InterruptedException {
    Future<?> waitFor = last;
    if (waitFor != null) {
      try {
        waitFor.get();
      } catch (ExecutionException e) {
        throw failed(e.getCause());
      }
    }
    raiseFailure();
    return shard;
  }

  private void raiseFailure() {
    Throwable cause = failure;
    if (cause != null) {
      throw failed(cause);
    }
  }

  private static LuciolaException failed(@Nullable Throwable cause) {
    return new LuciolaException(ErrorCode.INTERNAL, "ema update failed", cause);
  }

  /** Ends the thread when everything submitted is done. The shard stays open. */
  @Override
  public void close() {
    thread.close();
    arena.close();
  }
}
