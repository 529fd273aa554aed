package luciola.cli.bench;

import java.util.Locale;
import java.util.Optional;

/**
 * What is measured once.
 *
 * @param work reads or writes, through a cluster or at the engine alone
 * @param bytes of one range that is read or written
 * @param depth requests in flight at any time
 * @param batch ranges in one request; more than 1 for reads through a cluster only
 * @param replicas copies of each chunk; 1 at the engine
 */
record BenchCase(Work work, Pattern pattern, int bytes, int depth, int batch, int replicas) {
  private static final int BYTES_MIN = 4 << 10;
  private static final int BYTES_MAX = 64 << 20;
  private static final int DEPTH_MAX = 256;
  private static final int BATCH_MAX = 512;
  private static final int BUSY_DEPTH = 16;
  private static final int SMALL_BYTES = 64 << 10;

  BenchCase {
    if (bytes < BYTES_MIN || bytes > BYTES_MAX || Integer.bitCount(bytes) != 1) {
      throw new IllegalArgumentException("sizes are powers of two from 4KiB to 64MiB");
    }
    if (depth < 1 || depth > DEPTH_MAX) {
      throw new IllegalArgumentException("depths are 1 to " + DEPTH_MAX);
    }
    if (batch < 1 || batch > BATCH_MAX) {
      throw new IllegalArgumentException("batches are 1 to " + BATCH_MAX + " ranges");
    }
  }

  /**
   * The same with more in flight, to be run before a case of few small requests: that one brings so
   * few in a second that the compilers would take minutes to notice, and what is measured then is
   * the interpreter. Empty where there is enough in flight.
   */
  Optional<BenchCase> busier() {
    return depth < BUSY_DEPTH && bytes <= SMALL_BYTES
        ? Optional.of(new BenchCase(work, pattern, bytes, BUSY_DEPTH, batch, replicas))
        : Optional.empty();
  }

  /** What is done. */
  enum Work {
    READ,
    WRITE,
    STORAGE_READ,
    STORAGE_WRITE;

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '.');
    }

    boolean writes() {
      return this == WRITE || this == STORAGE_WRITE;
    }
  }

  /** Where the ranges lie. */
  enum Pattern {
    /** One after the other; each write is durable before the next of its writer. */
    SEQUENTIAL,
    /** Anywhere, over what is there; each write is durable before the next of its writer. */
    RANDOM,
    /** Writes only: one after the other, gathered and sent by the client, durable at the end. */
    STREAM,
    /**
     * Writes only: anywhere, over what is there, gathered and sent by the client, durable at the
     * end.
     */
    SCATTERED;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Whether writes go over what was there before. */
    boolean overwrites() {
      return this == RANDOM || this == SCATTERED;
    }

    /** Whether there are such writes only. */
    boolean isOfWrites() {
      return this == STREAM || this == SCATTERED;
    }
  }

  /** {@code read.random.4KiB.d64.b256.r3}. */
  String label() {
    return work.label()
        + "."
        + pattern.label()
        + "."
        + size(bytes)
        + ".d"
        + depth
        + (batch > 1 ? ".b" + batch : "")
        + ".r"
        + replicas;
  }

  /** Bytes in flight. */
  long bytesInFlight() {
    return (long) bytes * depth * batch;
  }

  static String size(int bytes) {
    return bytes >= 1 << 20 ? (bytes >> 20) + "MiB" : (bytes >> 10) + "KiB";
  }
}
