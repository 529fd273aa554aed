package luciola.storage.server;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import luciola.grpc.v1.CreateTableRequest;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.DataClients;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.RoutingFeed;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.StorageNode;
import luciola.storage.engine.Waits;

/** A client of chunks for tests: follows routing, repeats updates under their tag. */
final class TestClient implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofSeconds(90);
  private static final Duration CALL = Duration.ofSeconds(5);

  final MetaConnection meta;
  final RoutingFeed routing;
  private final EventLoops loops = EventLoops.start("test-client", 1);
  private final DataClients clients;
  private final ClientId client = new ClientId(99);
  private long sequence;

  private TestClient(MetaConnection meta) {
    this.meta = meta;
    this.routing = RoutingFeed.start(meta);
    this.clients =
        new DataClients(
            loops,
            DataClientOptions.DEFAULTS,
            new Hello(meta.cluster(), Hello.PROTOCOL_VERSION, 77));
  }

  Chain chain(ChainId id) {
    return routing.routing().chain(id).orElseThrow();
  }

  /** Follows the meta-server at an address. */
  static TestClient of(String address) {
    return new TestClient(MetaConnection.connect(MetaOptions.of(List.of(address))));
  }

  /** Makes a table and waits until every replica of it serves; its last chain. */
  ChainId createTable(int replicas, int chains) {
    meta.createTable(
        CreateTableRequest.newBuilder().setReplicas(replicas).setChains(chains).build());
    Waits.until(() -> "table", () -> routing.routing().chains().size() == chains);
    ChainId last = routing.routing().chains().keySet().stream().sorted().toList().getLast();
    await(last, "all serve", it -> serve(it, replicas));
    return last;
  }

  /** Waits for a state of a chain. */
  Chain await(ChainId id, String what, Predicate<Chain> condition) {
    Waits.until(
        () -> what + " chain=" + routing.routing().chain(id),
        () -> routing.routing().chain(id).filter(condition).isPresent());
    return chain(id);
  }

  static boolean serve(Chain chain, int count) {
    return chain.members().stream().filter(member -> member.state() == PublicState.SERVING).count()
        == count;
  }

  private <R extends Reply> R call(
      TargetId to, Request request, Class<R> type, List<MemorySegment> payload, ReplyPayload into) {
    StorageNode node = routing.routing().nodeOf(to).orElseThrow();
    return clients.call(node.host(), node.port(), request, type, payload, into, CALL).join();
  }

  /** Writes, repeating under one tag until it is done. */
  UpdateReply write(ChainId id, ChunkId chunk, int offset, byte[] bytes) {
    return update(id, chunk, new Update.Write(offset, bytes.length, 4 << 20), bytes);
  }

  UpdateReply update(ChainId id, ChunkId chunk, Update update, byte[] bytes) {
    MemorySegment payload = Arena.ofAuto().allocate(Math.max(1, bytes.length), 4096);
    MemorySegment.copy(bytes, 0, payload, ValueLayout.JAVA_BYTE, 0, bytes.length);
    MemorySegment exact = payload.asSlice(0, bytes.length);
    int offset = update instanceof Update.Write write ? write.offset() : 0;
    int[] sums = Granules.checksums(offset, exact);
    var tag = new UpdateTag(client, 1, ++sequence);
    long end = System.nanoTime() + DEADLINE.toNanos();
    String last = "";
    while (System.nanoTime() - end < 0) {
      Chain chain = chain(id);
      Optional<TargetId> head = chain.head();
      if (head.isPresent()) {
        try {
          UpdateReply reply =
              call(
                  head.get(),
                  new UpdateRequest(id, chain.version(), head.get(), chunk, tag, update, sums),
                  UpdateReply.class,
                  bytes.length == 0 ? List.of() : List.of(exact),
                  ReplyPayload.NONE);
          if (reply.code() == ErrorCode.OK) {
            return reply;
          }
          last = reply.toString();
        } catch (CompletionException e) {
          last = e.toString();
        }
      }
      routing.refresh();
      LockSupport.parkNanos(20_000_000);
    }
    throw new AssertionError("write was not done: chunk=" + chunk + " last=" + last);
  }

  /** One try of a read at one replica, verified. */
  ReadReply.Result readOnce(
      ChainId id, TargetId target, ChunkId chunk, int offset, MemorySegment into) {
    Chain chain = chain(id);
    var range =
        new ReadRequest.Range(
            id, chain.version(), target, chunk, offset, Math.toIntExact(into.byteSize()));
    ReadReply reply =
        call(
            target,
            new ReadRequest(List.of(range)),
            ReadReply.class,
            List.of(),
            ReplyPayload.scatter(List.of(into)));
    if (reply.code() != ErrorCode.OK) {
      return new ReadReply.Result(reply.code(), range(), 0, 0, new int[0]);
    }
    ReadReply.Result result = reply.results().getFirst();
    if (result.code() == ErrorCode.OK
        && Granules.firstMismatch(offset, into.asSlice(0, result.dataBytes()), result.checksums())
            >= 0) {
      return new ReadReply.Result(ErrorCode.CHECKSUM_MISMATCH, range(), 0, 0, new int[0]);
    }
    return result;
  }

  private static luciola.protocol.id.ChunkVersion range() {
    return luciola.protocol.id.ChunkVersion.NONE;
  }

  /** Reads at one replica until it has those bytes. */
  void awaitBytes(ChainId id, TargetId target, ChunkId chunk, byte[] expected) {
    MemorySegment into = Arena.ofAuto().allocate(Math.max(1, expected.length));
    String[] last = {""};
    Waits.until(
        () -> "bytes of chunk=" + chunk + " at target=" + target + " last=" + last[0],
        () -> {
          try {
            ReadReply.Result result = readOnce(id, target, chunk, 0, into);
            last[0] = result.toString();
            return result.code() == ErrorCode.OK
                && result.chunkBytes() == expected.length
                && result.dataBytes() == expected.length
                && Arrays.equals(expected, into.toArray(ValueLayout.JAVA_BYTE));
          } catch (CompletionException e) {
            last[0] = e.toString();
            return false;
          }
        });
  }

  @Override
  public void close() {
    clients.close();
    routing.close();
    meta.close();
    loops.close();
  }
}
