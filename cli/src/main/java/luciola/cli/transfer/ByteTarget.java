package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes bytes of a file that is being copied. */
interface ByteTarget extends AutoCloseable {
  void write(long offset, MemorySegment from) throws IOException;

  /** Sets the length; what was never written is zeros. */
  void extend(long bytes) throws IOException;

  /** What was written so far is there for whoever opens the file next. */
  void sync() throws IOException;

  /** An error of anything written before may come here. */
  @Override
  void close() throws IOException;
}
