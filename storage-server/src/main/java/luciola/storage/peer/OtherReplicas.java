package luciola.storage.peer;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.ChainMember;
import luciola.storage.engine.ReplicaSource;
import luciola.storage.index.ChunkKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches chunks of this target's chains from their other members, for repairs. */
public final class OtherReplicas implements ReplicaSource {
  private static final Logger log = LoggerFactory.getLogger(OtherReplicas.class);

  private final TargetId self;
  private final RoutingSource routing;
  private final Peers peers;

  public OtherReplicas(TargetId self, RoutingSource routing, Peers peers) {
    this.self = self;
    this.routing = routing;
    this.peers = peers;
  }

  /** Serving members first, then all others: what has the right checksum is right. */
  @Override
  public List<Replica> others(ChunkKey chunk) {
    return routing.routing().chain(chunk.chain()).stream()
        .flatMap(chain -> chain.members().stream())
        .map(ChainMember::target)
        .filter(other -> !other.equals(self))
        .<Replica>map(other ->
            (key, version, offset, into) -> {
              boolean found = read(other, key, version, offset, into);
              if (found) {
                log.debug("fetched chunk={} offset={} from={}", key, offset, other);
              }
              return found;
            })
        .toList();
  }

  private boolean read(
      TargetId from, ChunkKey chunk, ChunkVersion version, int offset, MemorySegment into)
      throws IOException {
    int bytes = Math.toIntExact(into.byteSize());
    ReadReply reply =
        ask(
            from,
            new FetchRequest(chunk.chain(), from, chunk.chunk(), version, offset, bytes),
            into);
    ErrorCode code = reply.code();
    if (code == ErrorCode.OK && !reply.results().isEmpty()) {
      ReadReply.Result result = reply.results().getFirst();
      code = result.code();
      if (code == ErrorCode.OK) {
        return result.dataBytes() == bytes;
      }
    }
    return switch (code) {
      case CHUNK_NOT_FOUND, CHUNK_BUSY, CHECKSUM_MISMATCH -> false;
      default -> throw new IOException("fetch: target=" + from + " code=" + code);
    };
  }

  private ReadReply ask(TargetId from, FetchRequest request, MemorySegment into)
      throws IOException {
    try {
      return peers
          .call(from, request, ReadReply.class, ReplyPayload.scatter(List.of(into)))
          .get(peers.timeout().toMillis() + 1000, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("fetch: target=" + from, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("fetch: target=" + from);
    }
  }
}
