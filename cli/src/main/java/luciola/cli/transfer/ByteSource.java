package luciola.cli.transfer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;

/** Bytes of one file to be copied. */
interface ByteSource extends AutoCloseable {
  /** Fills {@code into} from {@code offset} as far as the file reaches; 0 at its end. */
  CompletableFuture<Long> read(long offset, MemorySegment into);

  @Override
  void close();

  /** A file of this machine. */
  static ByteSource local(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    return new ByteSource() {
      @Override
      public CompletableFuture<Long> read(long offset, MemorySegment into) {
        try {
          ByteBuffer buffer = into.asByteBuffer();
          while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) >= 0) {}
          return CompletableFuture.completedFuture((long) buffer.position());
        } catch (IOException failure) {
          return CompletableFuture.failedFuture(failure);
        }
      }

      @Override
      public void close() {
        try {
          channel.close();
        } catch (IOException failure) {
          throw new UncheckedIOException(failure);
        }
      }
    };
  }

  /** A file of a cluster. */
  static ByteSource remote(LuciolaFileSystem fs, String path) {
    ReadableFile file = fs.openRead(path);
    return new ByteSource() {
      @Override
      public CompletableFuture<Long> read(long offset, MemorySegment into) {
        return file.read(offset, into);
      }

      @Override
      public void close() {
        file.close();
      }
    };
  }
}
