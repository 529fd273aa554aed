package luciola.loader.dataset;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.zip.CRC32C;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Whole reads and small writes, blocking, with errors that name the file. */
final class FileBytes {
  private FileBytes() {}

  /** Waits; the cause of a failure is thrown as it is. */
  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof LuciolaException fault) {
        throw fault;
      }
      throw e;
    }
  }

  /** Fills a new segment of the arena with a range of a file, which must have it. */
  static MemorySegment read(ReadableFile file, long offset, long length, Arena arena) {
    if (offset < 0 || length < 0 || offset + length > file.length()) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "read dataset: the file is too short: path="
              + file.path()
              + " offset="
              + offset
              + " length="
              + length
              + " fileBytes="
              + file.length());
    }
    MemorySegment into = arena.allocate(Math.max(1, length), 8).asSlice(0, length);
    if (length > 0) {
      long got = await(file.read(offset, into));
      if (got != length) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "read dataset: fewer bytes than the file's length: path="
                + file.path()
                + " offset="
                + offset
                + " length="
                + length
                + " got="
                + got);
      }
    }
    return into;
  }

  /** The whole of a small file. */
  static MemorySegment readAll(LuciolaFileSystem files, String path, long bytesMax, Arena arena) {
    try (ReadableFile file = files.openRead(path)) {
      if (file.length() > bytesMax) {
        throw new LuciolaException(
            ErrorCode.FILE_TOO_LARGE,
            "read dataset: path=" + path + " fileBytes=" + file.length() + " bytesMax=" + bytesMax);
      }
      return read(file, 0, file.length(), arena);
    }
  }

  static void write(LuciolaFileSystem files, String path, byte[] bytes) {
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE)) {
      if (bytes.length > 0) {
        file.write(0, bytes);
      }
      file.sync();
    }
  }

  static int crc32c(MemorySegment bytes) {
    CRC32C crc = new CRC32C();
    update(crc, bytes);
    return (int) crc.getValue();
  }

  static void update(CRC32C crc, MemorySegment bytes) {
    for (long at = 0; at < bytes.byteSize(); at += Integer.MAX_VALUE) {
      long length = Math.min(Integer.MAX_VALUE, bytes.byteSize() - at);
      ByteBuffer piece = bytes.asSlice(at, length).asByteBuffer();
      crc.update(piece);
    }
  }
}
