package luciola.loader.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletionException;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Reads whole ranges. */
final class FileRange {
  private FileRange() {}

  /** Fills the memory; CORRUPT_DATA if the file ends before. */
  static void read(ReadableFile file, long offset, MemorySegment into) {
    long done = 0;
    while (done < into.byteSize()) {
      long read = readSome(file, offset + done, into.asSlice(done));
      if (read <= 0) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "checkpoint read: path=%s offset=%d bytes=%d: cut off at %d"
                .formatted(file.path(), offset, into.byteSize(), offset + done));
      }
      done += read;
    }
  }

  private static long readSome(ReadableFile file, long offset, MemorySegment into) {
    try {
      return file.read(offset, into).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof LuciolaException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
