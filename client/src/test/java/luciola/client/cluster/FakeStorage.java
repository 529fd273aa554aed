package luciola.client.cluster;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.DataServer;
import luciola.protocol.connection.DataServerOptions;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.HelloVerifier;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.connection.ReplyBody;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClusterId;

/** A storage-server over chunks in memory, which it shares with the other ones of its test. */
final class FakeStorage implements AutoCloseable {
  /** What all servers of a test hold. */
  static final class Chunks {
    final NavigableMap<ChunkId, byte[]> bytes = new ConcurrentSkipListMap<>();
    final Map<Long, UpdateTag> lastOfChannel = new ConcurrentHashMap<>();
    final AtomicInteger applied = new AtomicInteger();
    final AtomicInteger repeated = new AtomicInteger();
  }

  final AtomicInteger readRequests = new AtomicInteger();
  final AtomicInteger updateRequests = new AtomicInteger();
  volatile Function<Request, ErrorCode> answer = _ -> ErrorCode.OK;
  volatile boolean corrupt;
  volatile boolean mute;
  final AtomicInteger repliesToLose = new AtomicInteger();

  private final Chunks chunks;
  private final PayloadPool pool = new PayloadPool(64 << 20);
  private final EventLoops loops = EventLoops.start("fake-storage", 1);
  private final DataServer server;
  private boolean closed;

  FakeStorage(long cluster, long node, Chunks chunks) throws IOException {
    this.chunks = chunks;
    this.server =
        DataServer.bind(
            loops,
            DataServerOptions.DEFAULTS,
            "127.0.0.1",
            0,
            pool,
            HelloVerifier.ofCluster(new ClusterId(cluster), node, 1),
            this::handle);
  }

  int port() {
    return server.port();
  }

  private void handle(Call call) {
    if (mute) {
      return;
    }
    ErrorCode code = answer.apply(call.request());
    if (code != ErrorCode.OK) {
      call.fail(code);
      return;
    }
    switch (call.request()) {
      case ReadRequest read -> read(call, read);
      case UpdateRequest update -> update(call, update);
      case ChunkListRequest list -> list(call, list);
      default -> call.fail(ErrorCode.UNSUPPORTED);
    }
  }

  private void read(Call call, ReadRequest request) {
    readRequests.incrementAndGet();
    List<ReadReply.Result> results = new ArrayList<>();
    List<MemorySegment> payload = new ArrayList<>();
    for (ReadRequest.Range range : request.ranges()) {
      byte[] chunk = chunks.bytes.get(range.chunk());
      if (chunk == null) {
        results.add(
            new ReadReply.Result(ErrorCode.CHUNK_NOT_FOUND, ChunkVersion.NONE, 0, 0, new int[0]));
        continue;
      }
      int count = Math.max(0, Math.min(range.length(), chunk.length - range.offset()));
      MemorySegment bytes = Arena.ofAuto().allocate(Math.max(1, count)).asSlice(0, count);
      bytes.copyFrom(
          MemorySegment.ofArray(chunk)
              .asSlice(Math.min(range.offset(), chunk.length - count), count));
      int[] sums = Granules.checksums(range.offset(), bytes);
      if (corrupt && count > 0) {
        bytes.set(
            ValueLayout.JAVA_BYTE,
            count - 1L,
            (byte) ~bytes.get(ValueLayout.JAVA_BYTE, count - 1L));
      }
      results.add(
          new ReadReply.Result(ErrorCode.OK, new ChunkVersion(1), chunk.length, count, sums));
      if (count > 0) {
        payload.add(bytes);
      }
    }
    call.reply(new ReadReply(ErrorCode.OK, results), ReplyBody.memory(payload, () -> {}));
  }

  private void update(Call call, UpdateRequest request) {
    updateRequests.incrementAndGet();
    if (request.update() instanceof Update.Write write
        && Granules.firstMismatch(write.offset(), call.payload().segment(), request.checksums())
            >= 0) {
      call.fail(ErrorCode.CHECKSUM_MISMATCH);
      return;
    }
    synchronized (chunks) {
      UpdateTag last = chunks.lastOfChannel.get((long) request.tag().channel());
      if (last != null && last.sequence() > request.tag().sequence()) {
        call.fail(ErrorCode.DUPLICATE_UPDATE);
        return;
      }
      if (request.tag().equals(last)) {
        chunks.repeated.incrementAndGet();
      } else {
        chunks.lastOfChannel.put((long) request.tag().channel(), request.tag());
        chunks.applied.incrementAndGet();
        apply(request, call.payload().segment());
      }
    }
    if (repliesToLose.getAndUpdate(n -> Math.max(0, n - 1)) == 0) {
      call.reply(new UpdateReply(ErrorCode.OK, new ChunkVersion(1), 0, 0, 1));
    }
  }

  private void apply(UpdateRequest request, MemorySegment payload) {
    byte[] before = chunks.bytes.getOrDefault(request.chunk(), new byte[0]);
    switch (request.update()) {
      case Update.Write write -> {
        byte[] after =
            Arrays.copyOf(before, Math.max(before.length, write.offset() + write.length()));
        MemorySegment.copy(
            payload, 0, MemorySegment.ofArray(after), write.offset(), write.length());
        chunks.bytes.put(request.chunk(), after);
      }
      case Update.Truncate cut ->
          chunks.bytes.put(request.chunk(), Arrays.copyOf(before, cut.length()));
      case Update.Remove _ -> chunks.bytes.remove(request.chunk());
      case Update.Replace _ -> throw new IllegalArgumentException("only between servers");
    }
  }

  private void list(Call call, ChunkListRequest request) {
    List<ChunkListReply.Item> items = new ArrayList<>();
    chunks
        .bytes
        .tailMap(new ChunkId(request.inode(), request.first()), true)
        .forEach((chunk, bytes) -> {
          if (chunk.inode().equals(request.inode())) {
            items.add(new ChunkListReply.Item(chunk.index(), bytes.length));
          }
        });
    boolean more = items.size() > request.limit();
    call.reply(
        new ChunkListReply(ErrorCode.OK, more ? items.subList(0, request.limit()) : items, more));
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      server.close(Duration.ZERO);
      loops.close();
      pool.close();
    }
  }
}
