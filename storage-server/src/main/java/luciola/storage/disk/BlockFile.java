package luciola.storage.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;

/**
 * The file of one block class. Safe for use by many threads. Failing calls throw IOException; one
 * for lack of space is a {@link NoSpaceException}.
 */
public interface BlockFile extends AutoCloseable {
  /**
   * Writes whole pages past the page cache; in order of return, but durable only after {@link
   * #flush}.
   *
   * @param position multiple of a page
   * @param data native, page-aligned, a whole number of pages
   */
  void write(long position, MemorySegment data) throws IOException;

  /** Like {@link #write} but through the page cache: faster for a few pages, slower for many. */
  void writeCached(long position, MemorySegment data) throws IOException;

  /** Fills {@code into} through the page cache. */
  void read(long position, MemorySegment into) throws IOException;

  /** Brings a range into the page cache and waits until it is there (or nearly so). */
  void warm(long position, long bytes) throws IOException;

  /** Fills {@code into}, native and aligned as for a write, from the device itself. */
  void readDevice(long position, MemorySegment into) throws IOException;

  /** Makes everything written before durable. */
  void flush() throws IOException;

  /** Takes space for a range, all or nothing. */
  void preallocate(long position, long bytes) throws IOException;

  /** Gives the space of a range back; it reads as zeros then. */
  void punch(long position, long bytes) throws IOException;

  /** Present end of the file. */
  long size() throws IOException;

  /** For sending ranges to a socket; through the page cache; not to be closed or written. */
  FileChannel channel();

  @Override
  void close() throws IOException;

  /** Opens the file of a class, making it if it is missing. */
  interface Opener {
    BlockFile open(BlockClass blockClass) throws IOException;
  }
}
