package luciola.client;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;

/**
 * A file that gets its name when it is whole: nobody sees it before {@link #publish}. What was not
 * published when it is closed, or when its client is lost, is gone. Two changes of the namespace in
 * all, whatever is in it.
 */
public interface NewFile extends AutoCloseable {
  /** The path that it will have. */
  String path();

  /** Writes all of {@code from} at {@code offset}; the bytes may be reused when this returns. */
  void write(long offset, MemorySegment from);

  /**
   * Reads back from every replica's committed bytes; waits for what was written before. {@code
   * into} is native and may be written to by another thread.
   *
   * @return how many bytes were read: fewer only at the end
   */
  CompletableFuture<Long> read(long offset, MemorySegment into);

  /**
   * In one step, once every byte is durable: the file has this mode and time, as far as they are
   * named, and its path names it, in the place of another file perhaps. Then it is closed.
   *
   * @throws luciola.protocol.error.LuciolaException if nothing was published; it is closed then too
   */
  FileStat publish(AttributeChange as);

  /** Drops the file unless it was published. A second close does nothing. */
  @Override
  void close();
}
