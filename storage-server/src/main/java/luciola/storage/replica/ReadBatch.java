package luciola.storage.replica;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkRead;
import luciola.storage.engine.HeldVersion;
import luciola.storage.peer.Peers;
import org.jspecify.annotations.Nullable;

/**
 * A read of several ranges, answered when each has its outcome. Outcomes come from any thread. What
 * was read under a lease that ended before the answer goes out is not given: a process that slept
 * in between does not answer with what was true before.
 */
public final class ReadBatch {
  private static final int[] NONE = {};

  private final Call call;
  private final LongSupplier clock;
  private final ReadReply.@Nullable Result[] results;
  private final @Nullable ChunkRead[] reads;
  private final long[] leaseUntilNanos;
  private final AtomicInteger missing;

  /**
   * @param clock monotonic nanoseconds, of the leases
   */
  public ReadBatch(Call call, int ranges, LongSupplier clock) {
    this.call = call;
    this.clock = clock;
    this.results = new ReadReply.Result[ranges];
    this.reads = new ChunkRead[ranges];
    this.leaseUntilNanos = new long[ranges];
    this.missing = new AtomicInteger(ranges);
  }

  /** One range's place in its batch. */
  public record Slot(ReadBatch batch, int at) {
    /** Reads the range of a held version and keeps what was found. Blocks for the disk. */
    public void read(
        ChunkEngine engine, HeldVersion held, ReadRequest.Range range, long leaseUntilNanos) {
      ChunkRead read;
      try {
        read = engine.read(held, range.offset(), range.length());
      } catch (RuntimeException e) {
        failed(Peers.codeOf(e));
        return;
      }
      found(read, leaseUntilNanos);
    }

    /**
     * The range was read.
     *
     * @param leaseUntilNanos end of the lease under which its version was chosen
     */
    void found(ChunkRead read, long leaseUntilNanos) {
      batch.reads[at] = read;
      batch.leaseUntilNanos[at] = leaseUntilNanos;
      batch.done(
          at,
          new ReadReply.Result(
              ErrorCode.OK, read.version(), read.chunkBytes(), read.dataBytes(), read.checksums()));
    }

    public void failed(ErrorCode code) {
      batch.done(at, failure(code));
    }
  }

  private static ReadReply.Result failure(ErrorCode code) {
    return new ReadReply.Result(code, ChunkVersion.NONE, 0, 0, NONE);
  }

  private void done(int at, ReadReply.Result result) {
    results[at] = result;
    if (missing.decrementAndGet() == 0) {
      answer();
    }
  }

  private void answer() {
    var all = new ArrayList<ReadReply.Result>(results.length);
    var parts = new ArrayList<ReplyBody.Part>(results.length);
    long nowNanos = clock.getAsLong();
    for (int i = 0; i < results.length; i++) {
      ReadReply.Result result = results[i];
      if (result == null) {
        throw new IllegalStateException("range without an outcome: range=" + i);
      }
      ChunkRead read = reads[i];
      if (read != null && nowNanos - leaseUntilNanos[i] >= 0) {
        all.add(failure(ErrorCode.NO_LEASE));
      } else {
        all.add(result);
        if (read != null && read.dataBytes() > 0) {
          add(read, parts);
        }
      }
    }
    call.reply(new ReadReply(ErrorCode.OK, all), new ReplyBody(parts, this::release));
  }

  private static void add(ChunkRead read, List<ReplyBody.Part> parts) {
    switch (read) {
      case ChunkRead.InMemory memory -> parts.add(new ReplyBody.Memory(memory.data()));
      case ChunkRead.InFiles files ->
          files
              .ranges()
              .forEach(each ->
                  parts.add(new ReplyBody.FileRange(each.file(), each.position(), each.bytes())));
    }
  }

  private void release() {
    List<@Nullable ChunkRead> held = Arrays.asList(reads);
    for (ChunkRead read : held) {
      if (read != null) {
        read.close();
      }
    }
  }
}
