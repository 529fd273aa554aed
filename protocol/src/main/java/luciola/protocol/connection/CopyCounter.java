package luciola.protocol.connection;

import java.util.concurrent.atomic.LongAdder;

/**
 * Counts payload bytes of the data plane in this process: those delivered to a caller's or a
 * handler's memory, and those that our code copied in user space on the way.
 */
public final class CopyCounter {
  private static final LongAdder COPIED = new LongAdder();
  private static final LongAdder DELIVERED = new LongAdder();

  private CopyCounter() {}

  /** Payload bytes copied since the process started. */
  public static long copiedBytes() {
    return COPIED.sum();
  }

  /** Payload bytes received since the process started. */
  public static long deliveredBytes() {
    return DELIVERED.sum();
  }

  /** Whoever copies payload bytes on the path says so here. */
  public static void copied(long bytes) {
    COPIED.add(bytes);
  }

  static void delivered(long bytes) {
    DELIVERED.add(bytes);
  }
}
