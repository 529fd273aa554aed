package luciola.loader.dataset;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;

/** A new file written from front to back in large pieces, with a CRC32C of all of it. */
final class SequentialOutput implements AutoCloseable {
  private static final int BUFFER_BYTES = 4 << 20;

  private final WritableFile file;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private final CRC32C crc = new CRC32C();
  private int filled;
  private long written;

  SequentialOutput(LuciolaFileSystem files, String path) {
    this.file = files.openWrite(path, OpenOptions.CREATE_NEW);
  }

  /** Where the next byte goes. */
  long position() {
    return written + filled;
  }

  /** CRC32C of everything so far. */
  int crc32c() {
    return (int) crc.getValue();
  }

  void write(byte[] bytes) {
    crc.update(bytes, 0, bytes.length);
    int from = 0;
    while (from < bytes.length) {
      int length = Math.min(bytes.length - from, BUFFER_BYTES - filled);
      System.arraycopy(bytes, from, buffer, filled, length);
      filled += length;
      from += length;
      if (filled == BUFFER_BYTES) {
        flush();
      }
    }
  }

  private void flush() {
    if (filled > 0) {
      file.write(written, MemorySegment.ofArray(buffer).asSlice(0, filled));
      written += filled;
      filled = 0;
    }
  }

  /** Writes what is left and makes all of it durable. */
  void finish() {
    flush();
    file.sync();
  }

  @Override
  public void close() {
    file.close();
  }
}
