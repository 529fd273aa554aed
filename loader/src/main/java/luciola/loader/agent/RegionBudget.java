package luciola.loader.agent;

import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Shared memory of all trainers together, bounded. */
final class RegionBudget {
  private final long bytesMax;
  private final AtomicLong taken = new AtomicLong();

  RegionBudget(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  long taken() {
    return taken.get();
  }

  void take(long bytes) {
    long now = taken.addAndGet(bytes);
    if (now > bytesMax) {
      taken.addAndGet(-bytes);
      throw new LuciolaException(
          ErrorCode.OVERLOADED,
          "open: no shared memory left in the agent's budget: bytes="
              + bytes
              + " taken="
              + (now - bytes)
              + " regionBytesMax="
              + bytesMax);
    }
  }

  void giveBack(long bytes) {
    taken.addAndGet(-bytes);
  }
}
