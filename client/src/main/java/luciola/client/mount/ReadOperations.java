package luciola.client.mount;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Reads. The bytes come from the socket into the memory that the kernel is handed: nothing copies
 * them between. A read is asked for on the thread that has the request, and answered by the one
 * that has its bytes; only one that must wait for writes, or looks after a lock, changes threads.
 */
final class ReadOperations {
  private static final int KEPT_MAX = 64;

  private final OpenFiles open;
  private final LockOperations locks;
  private final Executor blocking;
  private final Faults faults;
  private final int bytesMax;

  /** The one that was used last is taken first: it is still in the processor's caches. */
  private final ConcurrentLinkedDeque<MemorySegment> free = new ConcurrentLinkedDeque<>();

  private final AtomicInteger kept = new AtomicInteger();

  /** Answers with what went wrong. */
  interface Faults {
    FuseReply of(FuseCall call, Throwable fault);
  }

  ReadOperations(
      OpenFiles open, LockOperations locks, Executor blocking, Faults faults, int bytesMax) {
    this.open = open;
    this.locks = locks;
    this.blocking = blocking;
    this.faults = faults;
    this.bytesMax = bytesMax;
  }

  void read(FuseCall call, FuseOperation.Read asked) {
    OpenInode file = open.file(asked.handle());
    if (file == null) {
      call.answer(new FuseReply.Failed(Errno.EBADF));
    } else if (file.isSettled() && !locks.mayHave(call.node())) {
      read(call, asked, file);
    } else {
      blocking.execute(() -> read(call, asked, file));
    }
  }

  private void read(FuseCall call, FuseOperation.Read asked, OpenInode file) {
    MemorySegment buffer = take();
    try {
      locks.require(call.node());
      var _ =
          file.read(asked.offset(), buffer.asSlice(0, Math.min(asked.bytes(), bytesMax)))
              .whenComplete((count, fault) -> answer(call, buffer, count, fault));
    } catch (LuciolaException e) {
      give(buffer);
      call.answer(faults.of(call, e));
    }
  }

  private void answer(
      FuseCall call, MemorySegment buffer, @Nullable Long count, @Nullable Throwable fault) {
    if (fault != null || count == null) {
      give(buffer);
      call.answer(faults.of(call, fault == null ? new IllegalStateException("no count") : fault));
    } else {
      call.answer(new FuseReply.Data(List.of(buffer.asSlice(0, count)), () -> give(buffer)));
    }
  }

  private MemorySegment take() {
    MemorySegment buffer = free.pollFirst();
    if (buffer == null) {
      return Arena.ofAuto().allocate(bytesMax, 4096);
    }
    kept.decrementAndGet();
    return buffer;
  }

  private void give(MemorySegment buffer) {
    if (kept.incrementAndGet() <= KEPT_MAX) {
      free.addFirst(buffer);
    } else {
      kept.decrementAndGet();
    }
  }
}
