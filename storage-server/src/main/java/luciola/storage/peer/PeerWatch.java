package luciola.storage.peer;

import com.google.common.collect.ImmutableSet;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import luciola.grpc.v1.PeerReport;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which servers of other members of this server's chains do not answer, and for how long. Looked at
 * with every heartbeat: a server of which nothing was heard since the last look is asked something
 * that costs it nothing, and any answer will do. It is silent when two such questions in a row had
 * none; one is not enough, because the reason may be a pause of this process itself.
 *
 * <p>Connections to a server that stays silent are closed: when the way is free again a new one is
 * made sooner than the kernel would send again on an old one. Any thread.
 */
public final class PeerWatch {
  private static final Logger log = LoggerFactory.getLogger(PeerWatch.class);
  private static final int SILENT_ATTEMPTS = 2;
  private static final int CLOSE_ATTEMPTS = 5;

  /** Any chunk is good for a question; this one is none. */
  private static final ChunkId NONE = new ChunkId(new InodeId(1), 0);

  private final RoutingSource routing;
  private final Peers peers;
  private final Set<TargetId> own;
  private final LongSupplier clock;
  private final Duration patience;
  private final Map<NodeId, Watched> watched = new HashMap<>();
  private Routing seen = Routing.EMPTY;
  private Map<NodeId, Neighbour> neighbours = Map.of();

  /**
   * @param own targets of this server
   */
  public PeerWatch(RoutingSource routing, Peers peers, Set<TargetId> own, LongSupplier clock) {
    this.routing = routing;
    this.peers = peers;
    this.own = ImmutableSet.copyOf(own);
    this.clock = clock;
    this.patience = peers.timeout().dividedBy(10);
  }

  /** A server and one place of its in a chain with one of ours. */
  private record Neighbour(StorageNode node, Chain chain, TargetId target) {}

  private static final class Watched {
    long answers;
    long silentSinceNanos;
    long askedNanos;
    int attempts;
    int failed;
    boolean asking;
  }

  /** What to report now. */
  public synchronized List<PeerReport> look() {
    long now = clock.getAsLong();
    meetRouting();
    watched.keySet().retainAll(neighbours.keySet());
    var reports = new TreeMap<NodeId, PeerReport>();
    neighbours.forEach((id, neighbour) -> {
      Watched peer = watched.computeIfAbsent(id, _ -> begun(neighbour, now));
      judge(neighbour, peer, now);
      if (peer.failed >= SILENT_ATTEMPTS) {
        reports.put(
            id,
            PeerReport.newBuilder()
                .setNodeId(id.value())
                .setSilentNanos(now - peer.silentSinceNanos)
                .build());
      }
      if (!peer.asking) {
        ask(neighbour, peer, now);
      }
    });
    return List.copyOf(reports.values());
  }

  private Watched begun(Neighbour neighbour, long now) {
    var peer = new Watched();
    peer.answers = answers(neighbour);
    peer.silentSinceNanos = now;
    return peer;
  }

  private long answers(Neighbour neighbour) {
    return neighbour.node().targets().stream().mapToLong(peers::answers).sum();
  }

  private void judge(Neighbour neighbour, Watched peer, long now) {
    long answers = answers(neighbour);
    if (answers != peer.answers) {
      if (peer.failed >= SILENT_ATTEMPTS) {
        log.info("server answers again node={}", neighbour.node().id());
      }
      peer.answers = answers;
      peer.silentSinceNanos = now;
      peer.failed = 0;
    } else if (peer.asking && now - peer.askedNanos >= patience.toNanos()) {
      failed(neighbour, peer);
    }
  }

  private static void failed(Neighbour neighbour, Watched peer) {
    peer.asking = false;
    peer.failed++;
    if (peer.failed == SILENT_ATTEMPTS) {
      log.warn(
          "server does not answer node={} address={}:{}",
          neighbour.node().id(),
          neighbour.node().host(),
          neighbour.node().port());
    }
  }

  private void ask(Neighbour neighbour, Watched peer, long now) {
    int attempt = ++peer.attempts;
    peer.asking = true;
    peer.askedNanos = now;
    var question =
        new VersionRequest(
            neighbour.chain().id(), neighbour.chain().version(), neighbour.target(), List.of(NONE));
    var _ =
        peers
            .client(neighbour.target())
            .thenCompose(client ->
                client
                    .call(question, VersionReply.class, List.of(), ReplyPayload.NONE, patience)
                    .whenComplete((_, failure) -> {
                      if (failure != null && Peers.codeOf(failure) == ErrorCode.TIMED_OUT) {
                        timedOut(peer, client);
                      }
                    }))
            .whenComplete((reply, _) -> {
              if (reply != null) {
                peers.answered(neighbour.target());
              }
              ended(neighbour, peer, attempt, reply != null);
            });
  }

  private synchronized void ended(
      Neighbour neighbour, Watched peer, int attempt, boolean answered) {
    if (peer.asking && peer.attempts == attempt) {
      if (answered) {
        peer.asking = false;
      } else {
        failed(neighbour, peer);
      }
    }
  }

  private synchronized void timedOut(Watched peer, DataClient client) {
    if (peer.failed + 1 >= CLOSE_ATTEMPTS) {
      client.close();
    }
  }

  /** Finds the servers that share a chain with this one, when routing has changed. */
  private void meetRouting() {
    Routing now = routing.routing();
    if (now == seen) {
      return;
    }
    seen = now;
    var found = new HashMap<NodeId, Neighbour>();
    for (Chain chain : now.chains().values()) {
      if (chain.members().stream().map(ChainMember::target).anyMatch(own::contains)) {
        for (ChainMember member : chain.members()) {
          now.nodeOf(member.target())
              .filter(node -> node.targets().stream().noneMatch(own::contains))
              .ifPresent(node ->
                  found.putIfAbsent(node.id(), new Neighbour(node, chain, member.target())));
        }
      }
    }
    neighbours = found;
  }
}
