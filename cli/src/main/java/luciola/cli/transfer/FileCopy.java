package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import luciola.protocol.error.LuciolaException;

/** Copies the bytes of one file: reads run ahead of the write by as many buffers as were free. */
final class FileCopy {
  /** What was copied. */
  record Copied(long bytes, int crc32c) {}

  private record Pending(MemorySegment buffer, CompletableFuture<Long> read) {}

  private final Buffers buffers;
  private final int ahead;

  /**
   * Copies with these buffers.
   *
   * @param ahead reads of one file that may be in flight
   */
  FileCopy(Buffers buffers, int ahead) {
    this.buffers = buffers;
    this.ahead = ahead;
  }

  /**
   * Copies until the source ends.
   *
   * @param bytesExpected length when last known; decides only how many buffers are worth taking
   */
  Copied copy(ByteSource source, ByteSink sink, long bytesExpected, LongConsumer moved)
      throws IOException, InterruptedException {
    var pending = new ArrayDeque<Pending>();
    try (Buffers.Lent lent = buffers.take(bytesExpected, ahead)) {
      try {
        return run(source, sink, lent.segments(), pending, moved);
      } finally {
        // Buffers with a read in flight must not be lent again before it ends.
        pending.forEach(each -> each.read().handle((_, _) -> 0).join());
      }
    }
  }

  private static Copied run(
      ByteSource source,
      ByteSink sink,
      List<MemorySegment> lent,
      ArrayDeque<Pending> pending,
      LongConsumer moved)
      throws IOException, InterruptedException {
    var crc = new CRC32C();
    long nextRead = 0;
    long written = 0;
    for (MemorySegment buffer : lent) {
      pending.add(new Pending(buffer, source.read(nextRead, buffer)));
      nextRead += buffer.byteSize();
    }
    while (!pending.isEmpty()) {
      Pending first = pending.getFirst();
      long got = await(first.read());
      pending.removeFirst();
      if (got == 0) {
        break;
      }
      MemorySegment part = first.buffer().asSlice(0, got);
      crc.update(part.asByteBuffer());
      sink.write(written, part);
      written += got;
      moved.accept(got);
      if (got < first.buffer().byteSize()) {
        break;
      }
      pending.add(new Pending(first.buffer(), source.read(nextRead, first.buffer())));
      nextRead += first.buffer().byteSize();
    }
    return new Copied(written, (int) crc.getValue());
  }

  private static long await(CompletableFuture<Long> read) throws IOException, InterruptedException {
    try {
      return read.get();
    } catch (ExecutionException failure) {
      switch (failure.getCause()) {
        case IOException io -> throw io;
        case LuciolaException known -> throw known;
        case null, default -> throw new IOException("read failed", failure);
      }
    }
  }
}
