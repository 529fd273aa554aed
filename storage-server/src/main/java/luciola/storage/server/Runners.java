package luciola.storage.server;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.Routing;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.EngineUsage;

/** The runners of this server's places in chains; made when routing first shows the place. */
final class Runners implements AutoCloseable {
  private static final long STOP_SECONDS = 5;

  private final Map<TargetId, ChunkEngine> engines;
  private final ServerParts parts;
  private final ConcurrentHashMap<Place, ChainRunner> runners = new ConcurrentHashMap<>();
  private boolean leased;
  private long leaseUntilNanos;

  Runners(Map<TargetId, ChunkEngine> engines, ServerParts parts) {
    this.engines = Map.copyOf(engines);
    this.parts = parts;
  }

  private record Place(ChainId chain, TargetId target) {}

  Optional<ChainRunner> find(ChainId chain, TargetId target) {
    return Optional.ofNullable(runners.get(new Place(chain, target)));
  }

  /** Newer routing: does not block. */
  synchronized void routingChanged(Routing routing) {
    for (Chain chain : routing.chains().values()) {
      for (ChainMember member : chain.members()) {
        ChunkEngine engine = engines.get(member.target());
        if (engine != null) {
          runner(chain, member.target(), engine).chainChanged(chain);
        }
      }
    }
  }

  private ChainRunner runner(Chain chain, TargetId id, ChunkEngine engine) {
    var place = new Place(chain.id(), id);
    ChainRunner known = runners.get(place);
    if (known != null) {
      return known;
    }
    var made = new ChainRunner(chain.id(), id, engine, parts);
    made.chainChanged(chain);
    if (leased) {
      made.leaseChanged(leaseUntilNanos);
    }
    runners.put(place, made);
    return made;
  }

  /**
   * The manager extended the lease. The routing it knew of then comes first: who is no longer of a
   * chain must not serve by the new lease.
   */
  synchronized void leaseChanged(long untilNanos) {
    routingChanged(parts.routing().routing());
    leased = true;
    leaseUntilNanos = untilNanos;
    runners.values().forEach(runner -> runner.leaseChanged(untilNanos));
  }

  /** What the scrub walks over. */
  Collection<Scrubber.Work> scrubWork() {
    return runners.values().stream()
        .map(runner -> new Scrubber.Work(runner.chainId(), runner.engine()))
        .toList();
  }

  /** What to report of each target. */
  List<TargetReport> reports() {
    var reports = new HashMap<TargetId, TargetReport.Builder>();
    engines.forEach((id, engine) -> reports.put(id, report(id, engine)));
    for (ChainRunner runner : runners.values()) {
      TargetReport.Builder report = reports.get(runner.target());
      if (report != null && runner.chainVersion() > 0) {
        report.addChains(
            ChainReport.newBuilder()
                .setChainId(runner.chainId().value())
                .setLocalState(RoutingMessages.toMessage(runner.localState()))
                .setChainVersion(runner.chainVersion()));
      }
    }
    return reports.values().stream().map(TargetReport.Builder::build).toList();
  }

  private static TargetReport.Builder report(TargetId id, ChunkEngine engine) {
    boolean healthy = engine.isHealthy();
    EngineUsage usage = engine.usage();
    return TargetReport.newBuilder()
        .setTargetId(id.value())
        .setLocalState(healthy ? LocalState.LOCAL_STATE_ONLINE : LocalState.LOCAL_STATE_OFFLINE)
        .setCapacityBytes(usage.capacityBytes())
        .setUsedBytes(usage.usedBytes())
        .setChunks(usage.chunks())
        .setChecksumErrors(engine.checksumErrors());
  }

  /** Stops every runner; calls that wait are refused. */
  @Override
  public void close() {
    List<CompletableFuture<Boolean>> stops =
        runners.values().stream().map(ChainRunner::stop).toList();
    for (CompletableFuture<Boolean> stop : stops) {
      var _ = stop.completeOnTimeout(false, STOP_SECONDS, TimeUnit.SECONDS).join();
    }
  }

  /** The last word: every target is offline. */
  List<TargetReport> offline() {
    return engines.keySet().stream()
        .map(id ->
            TargetReport.newBuilder()
                .setTargetId(id.value())
                .setLocalState(LocalState.LOCAL_STATE_OFFLINE)
                .build())
        .toList();
  }
}
