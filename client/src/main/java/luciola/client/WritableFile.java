package luciola.client;

import java.lang.foreign.MemorySegment;
import luciola.protocol.id.InodeId;

/**
 * A file open for writing. Writes are gathered per chunk and sent in parallel; an error of a
 * background write is raised by the next {@link #write}, {@link #sync} or {@link #close} and the
 * bytes stay for a retry by that call. Safe for use by many threads; overlapping writes have no
 * order between threads.
 */
public interface WritableFile extends AutoCloseable {
  String path();

  InodeId inode();

  /** Length as this writer sees it. */
  long length();

  /** Writes all of {@code from} at {@code offset}; the bytes may be reused when this returns. */
  void write(long offset, MemorySegment from);

  /** Like {@link #write(long, MemorySegment)} from an array. */
  default void write(long offset, byte[] from) {
    write(offset, MemorySegment.ofArray(from));
  }

  /** Sets the length: cuts, or extends with zeros. */
  void truncate(long length);

  /**
   * Returns when everything written so far is durable on every replica and the length is published.
   */
  void sync();

  /** {@link #sync}, then ends the session. A second close does nothing. */
  @Override
  void close();
}
