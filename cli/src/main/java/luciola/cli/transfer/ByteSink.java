package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Takes the bytes of one copied file, in ascending order of offsets. */
@FunctionalInterface
interface ByteSink {
  void write(long offset, MemorySegment from) throws IOException;
}
