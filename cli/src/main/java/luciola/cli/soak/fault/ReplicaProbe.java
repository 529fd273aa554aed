package luciola.cli.soak.fault;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import luciola.cli.soak.load.BlockAddress;
import luciola.client.cluster.ClusterFileSystem;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.DataClients;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.StorageNode;

/**
 * Asks one storage-server for what it holds, without the client's router: no other replica answers
 * in its place, and no refusal is tried again.
 */
public final class ReplicaProbe implements AutoCloseable {
  private final ClusterFileSystem files;
  private final EventLoops loops = EventLoops.start("probe", 1);
  private final DataClients clients;
  private final Map<Long, FileLayout> layouts = new ConcurrentHashMap<>();

  /** Finds its way by what this client knows. */
  public ReplicaProbe(ClusterFileSystem files) {
    this.files = files;
    this.clients =
        new DataClients(
            loops,
            DataClientOptions.DEFAULTS,
            new Hello(
                files.cluster(), Hello.PROTOCOL_VERSION, ThreadLocalRandom.current().nextLong()));
  }

  /**
   * One replica of a chunk, as routing had it at one time.
   *
   * @param state of the replica at that time
   */
  public record Replica(
      ChainId chain,
      ChainVersion version,
      TargetId target,
      PublicState state,
      String host,
      int port) {
    String address() {
      return host + ":" + port;
    }
  }

  /**
   * What a server said.
   *
   * @param code OK also where the chunk does not exist: it reads as zeros
   * @param version of the chunk; 0 where there is none
   * @param bytes of the block, zeros past the chunk's end
   * @param badPiece index of the first granule with a wrong checksum, or -1
   */
  public record Answer(ErrorCode code, long version, MemorySegment bytes, int badPiece) {
    boolean good() {
      return code == ErrorCode.OK && badPiece < 0;
    }
  }

  /** All replicas of a block's chunk by present routing; empty if its layout is not known. */
  public List<Replica> replicas(BlockAddress block) {
    Optional<Chain> chain =
        layout(block.inode())
            .flatMap(
                layout -> files.routing().chain(files.routing().chainOf(layout, chunk(block))));
    return chain.map(this::replicas).orElse(List.of());
  }

  private List<Replica> replicas(Chain chain) {
    return chain.members().stream().flatMap(member -> replica(chain, member).stream()).toList();
  }

  private Optional<Replica> replica(Chain chain, ChainMember member) {
    Optional<StorageNode> node = files.routing().nodeOf(member.target());
    return node.map(at ->
        new Replica(
            chain.id(), chain.version(), member.target(), member.state(), at.host(), at.port()));
  }

  private static ChunkId chunk(BlockAddress block) {
    return new ChunkId(new InodeId(block.inode()), block.chunk());
  }

  private Optional<FileLayout> layout(long inode) {
    FileLayout known = layouts.get(inode);
    if (known != null) {
      return Optional.of(known);
    }
    try {
      var reply =
          files
              .meta()
              .call(
                  NamespaceRequest.newBuilder()
                      .setGetAttributes(GetAttributes.newBuilder().setInode(inode)));
      FileLayout layout = LayoutMessages.fromMessage(reply.getInode().getLayout());
      layouts.put(inode, layout);
      return Optional.of(layout);
    } catch (LuciolaException removed) {
      return Optional.empty();
    }
  }

  /** Connects to a server, so that later calls find the connection made. */
  public void prepare(Replica replica) {
    clients.client(replica.host(), replica.port()).join();
  }

  /** Reads a block of this replica; never fails, a fault is the answer's code. */
  public CompletableFuture<Answer> read(Replica replica, BlockAddress block, Duration timeout) {
    return read(replica, block, block.offset(), block.bytes(), timeout);
  }

  /** Makes the server look at a granule: it verifies short reads itself and repairs what is bad. */
  CompletableFuture<Answer> look(Replica replica, BlockAddress block, int piece, Duration timeout) {
    int offset = block.offset() + Granules.pieceOffset(block.offset(), piece);
    return read(replica, block, offset, 1, timeout);
  }

  private CompletableFuture<Answer> read(
      Replica replica, BlockAddress block, int offset, int length, Duration timeout) {
    MemorySegment into = Arena.ofAuto().allocate(length);
    var request =
        new ReadRequest(
            List.of(
                new ReadRequest.Range(
                    replica.chain(),
                    replica.version(),
                    replica.target(),
                    chunk(block),
                    offset,
                    length)));
    return clients
        .call(
            replica.host(),
            replica.port(),
            request,
            ReadReply.class,
            List.of(),
            ReplyPayload.scatter(List.of(into)),
            timeout)
        .handle((reply, failure) ->
            failure == null
                ? answer(reply, offset, into)
                : new Answer(codeOf(failure), 0, into, -1));
  }

  private static Answer answer(ReadReply reply, int offset, MemorySegment into) {
    if (reply.code() != ErrorCode.OK || reply.results().size() != 1) {
      return new Answer(
          reply.code() == ErrorCode.OK ? ErrorCode.MALFORMED_FRAME : reply.code(), 0, into, -1);
    }
    ReadReply.Result result = reply.results().getFirst();
    if (result.code() == ErrorCode.CHUNK_NOT_FOUND) {
      return new Answer(ErrorCode.OK, 0, into.fill((byte) 0), -1);
    }
    if (result.code() != ErrorCode.OK) {
      return new Answer(result.code(), 0, into, -1);
    }
    int bad =
        Granules.firstMismatch(offset, into.asSlice(0, result.dataBytes()), result.checksums());
    into.asSlice(result.dataBytes()).fill((byte) 0);
    return new Answer(ErrorCode.OK, result.version().value(), into, bad);
  }

  private static ErrorCode codeOf(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof LuciolaException fault ? fault.code() : ErrorCode.INTERNAL;
  }

  @Override
  public void close() {
    clients.close();
    loops.close();
  }
}
