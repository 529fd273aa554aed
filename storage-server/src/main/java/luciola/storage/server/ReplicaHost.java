package luciola.storage.server;

import java.util.List;
import java.util.Map;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.DataHandler;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.scrub.ScrubState;

/**
 * All replicas of a server: what lies between its connections and membership on one side and its
 * engines on the other. {@link StorageServer} gives it threads, sockets and the clock; the
 * simulation gives it its own.
 */
public final class ReplicaHost implements DataHandler, AutoCloseable {
  private final Runners runners;
  private final RequestRouter router;
  private final PeerWatch peers;

  /**
   * A host without chains.
   *
   * @param engines of each target, by its number; not closed here
   */
  public ReplicaHost(Map<TargetId, ChunkEngine> engines, ServerParts parts) {
    this.runners = new Runners(engines, parts);
    this.peers = new PeerWatch(parts.routing(), parts.peers(), engines.keySet(), parts.clock());
    this.router =
        new RequestRouter(
            runners,
            new CommittedReads(
                runners,
                parts.readers(),
                parts.config().readThreads(),
                parts.clock(),
                parts.routing()::refresh),
            parts.routing());
  }

  Runners runners() {
    return runners;
  }

  /** Takes a request, which is answered sooner or later. Does not block. */
  @Override
  public void handle(Call call) {
    router.handle(call);
  }

  /** Newer routing. Does not block. */
  public void routingChanged(Routing routing) {
    runners.routingChanged(routing);
  }

  /** The manager extended the lease, to this time of the parts' clock. */
  public void leaseChanged(long untilNanos) {
    runners.leaseChanged(untilNanos);
  }

  /** What to report of each target. */
  public List<TargetReport> reports() {
    return new Reports(runners, _ -> ScrubState.NONE).all();
  }

  /**
   * Servers of other members that do not answer; asks those of which nothing was heard of late. To
   * be called with every heartbeat.
   */
  public List<PeerReport> unreachable() {
    return peers.look();
  }

  /** Stops every replica; calls that wait are refused. */
  @Override
  public void close() {
    runners.close();
  }
}
