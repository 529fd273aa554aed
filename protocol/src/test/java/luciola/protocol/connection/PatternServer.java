package luciola.protocol.connection;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import org.jspecify.annotations.Nullable;

/**
 * A server for tests: chunk {@code c} holds the bytes of a pattern that depends on {@code c}; reads
 * are answered from memory or by sendfile, updates are checked against the pattern. Calls can be
 * held back.
 */
final class PatternServer implements AutoCloseable {
  static final int CHUNK_BYTES = 8 << 20;
  static final ClusterId CLUSTER = new ClusterId(77);
  private static final int PATTERN_BYTES = CHUNK_BYTES + 4096;

  final EventLoops loops;
  final PayloadPool pool;
  final DataServer server;
  final ConcurrentLinkedQueue<Call> held = new ConcurrentLinkedQueue<>();
  final AtomicInteger released = new AtomicInteger();
  final AtomicInteger handled = new AtomicInteger();
  volatile boolean hold;
  volatile @Nullable FileChannel file;

  private final Arena arena = Arena.ofShared();
  final MemorySegment pattern = arena.allocate(PATTERN_BYTES);

  PatternServer(EventLoops loops, DataServerOptions options) throws IOException {
    this(loops, options, null);
  }

  PatternServer(EventLoops loops, DataServerOptions options, @Nullable Tls tls) throws IOException {
    this.loops = loops;
    this.pool = new PayloadPool(PayloadPool.BLOCK_BYTES_MAX);
    fill(pattern);
    this.server =
        DataServer.bind(
            loops,
            options,
            "127.0.0.1",
            0,
            pool,
            HelloVerifier.ofCluster(CLUSTER, 5, 6),
            RequestGate.Factory.OPEN,
            tls,
            this::handle);
  }

  /** The pattern: no two near positions look alike at any power of two. */
  static void fill(MemorySegment segment) {
    for (long i = 0; i + 8 <= segment.byteSize(); i += 8) {
      segment.set(ValueLayout.JAVA_LONG_UNALIGNED, i, (i + 1) * 0x9E3779B97F4A7C15L);
    }
  }

  static Hello hello() {
    return new Hello(CLUSTER, Hello.PROTOCOL_VERSION, 123);
  }

  static ReadRequest read(int... chunkOffsetLength) {
    var ranges = new ArrayList<ReadRequest.Range>();
    for (int i = 0; i < chunkOffsetLength.length; i += 3) {
      ranges.add(
          new ReadRequest.Range(
              new ChainId(1),
              new ChainVersion(1),
              new TargetId(1),
              new ChunkId(new InodeId(1), chunkOffsetLength[i]),
              chunkOffsetLength[i + 1],
              chunkOffsetLength[i + 2]));
    }
    return new ReadRequest(ranges);
  }

  static UpdateRequest update(int chunk, int offset, MemorySegment data) {
    return new UpdateRequest(
        new ChainId(1),
        new ChainVersion(1),
        new TargetId(1),
        new ChunkId(new InodeId(1), chunk),
        new UpdateTag(new ClientId(9), 0, 1),
        new Update.Write(offset, Math.toIntExact(data.byteSize()), 1 << 26),
        Granules.checksums(offset, data));
  }

  /** Bytes of a chunk: the pattern, shifted by the chunk's index. */
  MemorySegment bytes(int chunk, int offset, int length) {
    return pattern.asSlice(chunk % 4096 + offset, length);
  }

  private void handle(Call call) {
    handled.incrementAndGet();
    if (hold) {
      held.add(call);
      return;
    }
    answer(call);
  }

  void answer(Call call) {
    switch (call.request()) {
      case ReadRequest read -> answerRead(call, read);
      case UpdateRequest update -> call.reply(check(update, call.payload().segment()));
      default -> call.reply(Reply.failure(call.request(), ErrorCode.UNSUPPORTED));
    }
  }

  private UpdateReply check(UpdateRequest update, MemorySegment payload) {
    var write = (Update.Write) update.update();
    boolean good =
        Granules.firstMismatch(write.offset(), payload, update.checksums()) < 0
            && payload.mismatch(bytes(update.chunk().index(), write.offset(), write.length())) < 0
            && payload.address() % PayloadBuffer.ALIGNMENT == 0;
    return new UpdateReply(
        good ? ErrorCode.OK : ErrorCode.CHECKSUM_MISMATCH,
        new ChunkVersion(1),
        write.length(),
        0,
        1);
  }

  private void answerRead(Call call, ReadRequest read) {
    var results = new ArrayList<ReadReply.Result>();
    var parts = new ArrayList<ReplyBody.Part>();
    FileChannel from = file;
    for (ReadRequest.Range range : read.ranges()) {
      int chunk = range.chunk().index();
      int length = Math.clamp(CHUNK_BYTES - range.offset(), 0, range.length());
      MemorySegment data = bytes(chunk, range.offset(), length);
      results.add(
          new ReadReply.Result(
              ErrorCode.OK,
              new ChunkVersion(1),
              CHUNK_BYTES,
              length,
              Granules.checksums(range.offset(), data)));
      if (length > 0) {
        parts.add(
            from == null
                ? new ReplyBody.Memory(data)
                : new ReplyBody.FileRange(from, chunk % 4096 + range.offset(), length));
      }
    }
    call.reply(
        new ReadReply(ErrorCode.OK, results), new ReplyBody(parts, released::incrementAndGet));
  }

  List<MemorySegment> payload(int chunk, int offset, int length) {
    return List.of(bytes(chunk, offset, length));
  }

  @Override
  public void close() {
    server.close();
    pool.close();
    arena.close();
  }
}
