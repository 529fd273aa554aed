package luciola.client;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.id.InodeId;

/** A file open for reading. Safe for use by many threads. */
public interface ReadableFile extends AutoCloseable {
  /** The path it was opened by. */
  String path();

  InodeId inode();

  /** Length in bytes when last known; {@link #refresh} asks again. */
  long length();

  /** Asks the meta-server for the present length and returns it. */
  long refresh();

  /**
   * Fills {@code into} from {@code offset}, stopping at the end of the file.
   *
   * @param into native memory; stays open until the future completes; filled without a copy in user
   *     space
   * @return bytes read, 0 at or past the end
   */
  CompletableFuture<Long> read(long offset, MemorySegment into);

  @Override
  void close();
}
