package luciola.storage.host;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import luciola.grpc.v1.PeerReport;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.DataHandler;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Routing;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.peer.PeerWatch;
import luciola.storage.replica.ReplicaParts;
import luciola.storage.scrub.ScrubState;

/**
 * All replicas of a server: what lies between its connections and membership on one side and its
 * engines on the other. The storage-server gives it threads, sockets and the clock; the simulation
 * gives it its own.
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
  public ReplicaHost(Map<TargetId, ChunkEngine> engines, ReplicaParts parts) {
    this.runners = new Runners(engines, parts);
    this.peers = new PeerWatch(parts.routing(), parts.peers(), engines.keySet(), parts.clock());
    this.router =
        new RequestRouter(
            runners,
            new CommittedReads(
                runners,
                parts.readers(),
                parts.settings().readThreads(),
                parts.clock(),
                parts.routing()::refresh),
            parts.routing());
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

  /** Chains of which a target has a replica. */
  public Collection<ChainId> chainsOf(TargetId target) {
    return runners.chainsOf(target);
  }

  /**
   * Ends every replica of a target whose engine is to be closed, and reports the target as offline
   * from then on.
   *
   * @param why in words for operators
   * @return completes when no replica uses the engine any more; with false if the server stops
   */
  public CompletableFuture<Boolean> detach(TargetId target, String why) {
    return runners.detach(target, why);
  }

  /** A target of this server is open again, in a new life. */
  public void attach(TargetId target, ChunkEngine engine) {
    runners.attach(target, engine);
  }

  /** What to report of each target. */
  public List<TargetReport> reports() {
    return reports(_ -> ScrubState.NONE);
  }

  /** What to report of each target, with the state of its scrub. */
  public List<TargetReport> reports(Function<TargetId, ScrubState> scrubs) {
    return new Reports(runners, scrubs).all();
  }

  /** The last word: every target is offline. */
  public List<TargetReport> offline() {
    return new Reports(runners, _ -> ScrubState.NONE).offline();
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
