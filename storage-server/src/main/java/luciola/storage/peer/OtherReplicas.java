package luciola.storage.peer;

import java.io.IOException;
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
import luciola.protocol.routing.Chain;
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

  @Override
  public void fetch(ChunkKey chunk, ChunkVersion version, MemorySegment into) throws IOException {
    Chain chain =
        routing
            .routing()
            .chain(chunk.chain())
            .orElseThrow(() -> new IOException("chain is not known: chunk=" + chunk));
    // Serving members first, then all others: whoever holds that version holds those bytes.
    for (ChainMember member : chain.members()) {
      TargetId other = member.target();
      if (!other.equals(self) && fetched(other, chunk, version, into)) {
        log.info("fetched chunk={} version={} from={}", chunk, version, other);
        return;
      }
    }
    throw new IOException("no other replica has it: chunk=" + chunk + " version=" + version);
  }

  private boolean fetched(TargetId from, ChunkKey chunk, ChunkVersion version, MemorySegment into) {
    int bytes = Math.toIntExact(into.byteSize());
    try {
      ReadReply reply =
          peers
              .call(
                  from,
                  new FetchRequest(chunk.chain(), from, chunk.chunk(), version, bytes),
                  ReadReply.class,
                  ReplyPayload.scatter(List.of(into)))
              .get(peers.timeout().toMillis() + 1000, TimeUnit.MILLISECONDS);
      if (reply.code() != ErrorCode.OK || reply.results().isEmpty()) {
        return false;
      }
      ReadReply.Result result = reply.results().getFirst();
      return result.code() == ErrorCode.OK
          && result.version().equals(version)
          && result.dataBytes() == bytes;
    } catch (ExecutionException | TimeoutException e) {
      log.warn("fetch failed chunk={} from={}", chunk, from, e);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
