package luciola.client.nio;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What stands for a mapping of a file: the range is read once, as a whole, into a file of the
 * machine's temporary folder that has no name any more, and that is mapped. So it takes room there
 * as long as it lives, and shows the bytes of the time it was made.
 */
final class MappedCopy {
  private MappedCopy() {}

  /** A mapping as a buffer. */
  static MappedByteBuffer buffer(FileChannel from, MapMode mode, long at, long size)
      throws IOException {
    if (size > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("more than a buffer holds: size=" + size);
    }
    try (FileChannel copy = copied(from, mode, at, size)) {
      return copy.map(mode, 0, size);
    }
  }

  /** A mapping as a segment of an arena. */
  static MemorySegment segment(FileChannel from, MapMode mode, long at, long size, Arena arena)
      throws IOException {
    try (FileChannel copy = copied(from, mode, at, size)) {
      return copy.map(mode, 0, size, arena);
    }
  }

  private static FileChannel copied(FileChannel from, MapMode mode, long at, long size)
      throws IOException {
    if (!mode.equals(MapMode.READ_ONLY) && !mode.equals(MapMode.PRIVATE)) {
      throw new UnsupportedOperationException("mappings are READ_ONLY or PRIVATE: " + mode);
    }
    Path file = Files.createTempFile("luciola-map-", null);
    FileChannel copy =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
    try {
      long done = 0;
      while (done < size) {
        long count = from.transferTo(at + done, size - done, copy);
        if (count == 0) {
          throw new IOException("past the end: position=" + at + " size=" + size);
        }
        done += count;
      }
      return copy;
    } catch (IOException | RuntimeException e) {
      copy.close();
      throw e;
    }
  }
}
