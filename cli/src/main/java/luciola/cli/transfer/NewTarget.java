package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes the bytes of a copy that has its name only when it is whole. */
interface NewTarget extends AutoCloseable {
  void write(long offset, MemorySegment from) throws IOException;

  /** What was written, as it reads. To be closed before this is. */
  ByteSource readBack() throws IOException;

  /** In the end: the mode and the time of {@code like}, and the name. */
  void give(Found like) throws IOException;

  /** Drops what has not got its name. */
  @Override
  void close() throws IOException;
}
