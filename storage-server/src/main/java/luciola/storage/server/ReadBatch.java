package luciola.storage.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.engine.ChunkRead;
import org.jspecify.annotations.Nullable;

/** A read of several ranges, answered when each has its outcome. Outcomes come from any thread. */
final class ReadBatch {
  private static final int[] NONE = {};

  private final Call call;
  private final ReadReply.@Nullable Result[] results;
  private final @Nullable ChunkRead[] reads;
  private final AtomicInteger missing;

  ReadBatch(Call call, int ranges) {
    this.call = call;
    this.results = new ReadReply.Result[ranges];
    this.reads = new ChunkRead[ranges];
    this.missing = new AtomicInteger(ranges);
  }

  /** One range's place in its batch. */
  record Slot(ReadBatch batch, int at) {
    void found(ChunkRead read) {
      batch.reads[at] = read;
      batch.done(
          at,
          new ReadReply.Result(
              ErrorCode.OK, read.version(), read.chunkBytes(), read.dataBytes(), read.checksums()));
    }

    void failed(ErrorCode code) {
      batch.done(at, new ReadReply.Result(code, ChunkVersion.NONE, 0, 0, NONE));
    }
  }

  private void done(int at, ReadReply.Result result) {
    results[at] = result;
    if (missing.decrementAndGet() == 0) {
      answer();
    }
  }

  private void answer() {
    var all = new ArrayList<ReadReply.Result>(results.length);
    var parts = new ArrayList<ReplyBody.Part>();
    for (int i = 0; i < results.length; i++) {
      ReadReply.Result result = results[i];
      if (result == null) {
        throw new IllegalStateException("range without an outcome: range=" + i);
      }
      all.add(result);
      ChunkRead read = reads[i];
      if (read != null && read.dataBytes() > 0) {
        parts.add(part(read));
      }
    }
    call.reply(new ReadReply(ErrorCode.OK, all), new ReplyBody(parts, this::release));
  }

  private static ReplyBody.Part part(ChunkRead read) {
    return switch (read) {
      case ChunkRead.InMemory memory -> new ReplyBody.Memory(memory.data());
      case ChunkRead.InFile file ->
          new ReplyBody.FileRange(file.file(), file.position(), file.dataBytes());
    };
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
