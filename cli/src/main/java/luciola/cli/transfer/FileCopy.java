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

  private record Pending(
      MemorySegment buffer, MemorySegment part, long at, CompletableFuture<Long> read) {}

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
   * Copies a range, or what the source has of it.
   *
   * @param from first byte
   * @param to the byte after the last; as far as it is known, where the source ends
   */
  Copied copy(ByteSource source, long from, long to, ByteSink sink, LongConsumer moved)
      throws IOException, InterruptedException {
    var pending = new ArrayDeque<Pending>();
    try (Buffers.Lent lent = buffers.take(to - from, ahead)) {
      try {
        return run(new Range(source, from, to), sink, lent.segments(), pending, moved);
      } finally {
        // Buffers with a read in flight must not be lent again before it ends.
        pending.forEach(each -> each.read().handle((_, _) -> 0).join());
      }
    }
  }

  /** Where the next read begins. */
  private static final class Range {
    private final ByteSource source;
    private final long to;
    private long next;

    Range(ByteSource source, long from, long to) {
      this.source = source;
      this.next = from;
      this.to = to;
    }

    boolean hasMore() {
      return next < to;
    }

    Pending read(MemorySegment buffer) {
      MemorySegment part = buffer.asSlice(0, Math.min(buffer.byteSize(), to - next));
      long at = next;
      next += part.byteSize();
      return new Pending(buffer, part, at, source.read(at, part));
    }
  }

  private static Copied run(
      Range range,
      ByteSink sink,
      List<MemorySegment> lent,
      ArrayDeque<Pending> pending,
      LongConsumer moved)
      throws IOException, InterruptedException {
    var crc = new CRC32C();
    long written = 0;
    for (MemorySegment buffer : lent) {
      if (range.hasMore()) {
        pending.add(range.read(buffer));
      }
    }
    while (!pending.isEmpty()) {
      Pending first = pending.getFirst();
      long got = await(first.read());
      pending.removeFirst();
      if (got == 0) {
        break;
      }
      MemorySegment part = first.part().asSlice(0, got);
      crc.update(part.asByteBuffer());
      sink.write(first.at(), part);
      written += got;
      moved.accept(got);
      if (got < first.part().byteSize()) {
        break;
      }
      if (range.hasMore()) {
        pending.add(range.read(first.buffer()));
      }
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
