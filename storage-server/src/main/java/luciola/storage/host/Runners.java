package luciola.storage.host;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.replica.ChainRunner;
import luciola.storage.replica.ReplicaParts;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The runners of this server's places in chains: made when routing first shows the place, stopped
 * when it shows the chain without it.
 *
 * <p>What a left place holds is dropped then. A place that is given back meanwhile waits for the
 * end of that: nobody fills what is being dropped. Routing comes from the manager's durable state
 * and never goes back, and a member is taken out only after it has reported that it knows that it
 * serves no more, so nothing is dropped that could still be asked for. As long as no other member
 * serves nothing is dropped at all.
 */
final class Runners implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Runners.class);
  private static final long STOP_SECONDS = 5;
  private static final int DROP_CHUNKS = 1000;
  private static final long DROP_RETRY_SECONDS = 1;

  private final ConcurrentSkipListMap<TargetId, ChunkEngine> engines;

  /** Targets without an engine, and why. */
  private final ConcurrentSkipListMap<TargetId, String> detached = new ConcurrentSkipListMap<>();

  private final Map<TargetId, LongAdder> disagreements;
  private final ReplicaParts parts;
  private final ConcurrentHashMap<Place, ChainRunner> runners = new ConcurrentHashMap<>();
  private final Set<Place> dropping = ConcurrentHashMap.newKeySet();

  /** Places of chains left in a former life, of which no member served when that was seen. */
  private final Set<Place> leftovers = new HashSet<>();

  private Routing seen = Routing.EMPTY;
  private boolean lookedForLeftovers;
  private boolean leased;
  private long leaseUntilNanos;
  private volatile boolean closed;

  Runners(Map<TargetId, ChunkEngine> engines, ReplicaParts parts) {
    this.engines = new ConcurrentSkipListMap<>(engines);
    this.disagreements =
        engines.keySet().stream().collect(Collectors.toMap(id -> id, _ -> new LongAdder()));
    this.parts = parts;
  }

  private record Place(ChainId chain, TargetId target) {}

  Map<TargetId, ChunkEngine> engines() {
    return engines;
  }

  /** Targets that are closed, and why. */
  Map<TargetId, String> detached() {
    return detached;
  }

  /**
   * Ends every replica of a target, which begins a new life when it is attached again.
   *
   * @param why in words for operators
   * @return completes when none of them acts any more; with false if that is not known, because the
   *     server stops
   */
  CompletableFuture<Boolean> detach(TargetId id, String why) {
    List<ChainRunner> ending;
    synchronized (this) {
      detached.put(id, why);
      engines.remove(id);
      dropping.removeIf(place -> place.target().equals(id));
      leftovers.removeIf(place -> place.target().equals(id));
      ending = runners.values().stream().filter(runner -> runner.target().equals(id)).toList();
    }
    CompletableFuture<Boolean> all = CompletableFuture.completedFuture(true);
    for (ChainRunner runner : ending) {
      all = all.thenCombine(runner.stop(), Boolean::logicalAnd);
    }
    return all.thenApply(ended -> {
      if (ended) {
        ending.forEach(runner -> runners.remove(new Place(runner.chainId(), id), runner));
      }
      parts.reportNow().run();
      return ended;
    });
  }

  /**
   * A target is open again. Its replicas know nothing of what their chains did meanwhile, as after
   * a start of the server.
   */
  synchronized void attach(TargetId id, ChunkEngine engine) {
    if (closed) {
      return;
    }
    detached.remove(id);
    engines.put(id, engine);
    Routing routing = seen;
    routing.chains().values().forEach(chain -> meet(chain, id));
    onReader(() -> lookForLeftovers(routing, id, engine));
    parts.reportNow().run();
  }

  /** How often a replica of one of a target's chains held what it must not. */
  LongAdder disagreements(TargetId target) {
    return disagreements.getOrDefault(target, new LongAdder());
  }

  Collection<ChainRunner> all() {
    return runners.values();
  }

  Optional<ChainRunner> find(ChainId chain, TargetId target) {
    return Optional.ofNullable(runners.get(new Place(chain, target)));
  }

  /** Chains of which a target has a replica. */
  Collection<ChainId> chainsOf(TargetId target) {
    return chains(runners.keySet(), target);
  }

  /** Chains that a target has left and is dropping. */
  List<ChainId> droppedBy(TargetId target) {
    return chains(dropping, target);
  }

  private static List<ChainId> chains(Collection<Place> places, TargetId target) {
    return places.stream()
        .filter(place -> place.target().equals(target))
        .map(Place::chain)
        .sorted()
        .toList();
  }

  /** Newer routing: does not block. */
  synchronized void routingChanged(Routing routing) {
    if (closed || routing == seen) {
      return;
    }
    seen = routing;
    for (Chain chain : routing.chains().values()) {
      for (TargetId id : engines.keySet()) {
        meet(chain, id);
      }
    }
    if (!lookedForLeftovers && !routing.chains().isEmpty()) {
      lookedForLeftovers = true;
      engines.forEach((id, engine) -> onReader(() -> lookForLeftovers(routing, id, engine)));
    }
  }

  private void meet(Chain chain, TargetId id) {
    if (!engines.containsKey(id)) {
      return;
    }
    var place = new Place(chain.id(), id);
    if (chain.stateOf(id).isPresent()) {
      leftovers.remove(place);
      if (!dropping.contains(place)) {
        runner(place).chainChanged(chain);
      }
      return;
    }
    ChainRunner left = runners.get(place);
    if (left != null) {
      left.chainChanged(chain);
      if (chain.head().isPresent()) {
        log.info("left a chain chain={} version={} target={}", chain.id(), chain.version(), id);
        runners.remove(place);
        drop(place, left.stop());
      }
    } else if (leftovers.contains(place)) {
      leftover(place);
    }
  }

  private ChainRunner runner(Place place) {
    return runners.computeIfAbsent(place, this::make);
  }

  private ChainRunner make(Place place) {
    ChunkEngine engine = engines.get(place.target());
    if (engine == null) {
      throw new IllegalStateException("no such target here: " + place);
    }
    var made =
        new ChainRunner(
            place.chain(), place.target(), engine, parts, disagreements(place.target()));
    if (leased) {
      made.leaseChanged(leaseUntilNanos);
    }
    return made;
  }

  private void onReader(Runnable action) {
    try {
      parts.readers().execute(action);
    } catch (RejectedExecutionException e) {
      log.debug("not done, the server stops");
    }
  }

  /** What a former life held of chains that its target has left since, or had begun to drop. */
  private void lookForLeftovers(Routing routing, TargetId id, ChunkEngine engine) {
    try {
      for (Chain chain : routing.chains().values()) {
        if (chain.stateOf(id).isEmpty() && !engine.chain(chain.id()).isEmpty()) {
          leftover(new Place(chain.id(), id));
        }
      }
    } catch (RuntimeException e) {
      log.warn("leftovers of former chains were not looked for target={}", id, e);
    }
  }

  private synchronized void leftover(Place place) {
    Optional<Chain> left =
        seen.chain(place.chain()).filter(chain -> chain.stateOf(place.target()).isEmpty());
    if (left.isEmpty() || closed || runners.containsKey(place)) {
      return;
    }
    if (left.get().head().isEmpty()) {
      leftovers.add(place);
      return;
    }
    leftovers.remove(place);
    log.info("drops what is left of a chain chain={} target={}", place.chain(), place.target());
    drop(place, CompletableFuture.completedFuture(true));
  }

  private void drop(Place place, CompletableFuture<Boolean> stopped) {
    ChunkEngine engine = engines.get(place.target());
    if (engine != null && dropping.add(place)) {
      var _ = stopped.thenAccept(_ -> dropSome(place, engine));
    }
  }

  /** Of one life of the target: another one looks for what is left by itself. */
  private void dropSome(Place place, ChunkEngine engine) {
    if (engines.get(place.target()) != engine || closed || !engine.isHealthy()) {
      return;
    }
    var _ =
        engine
            .chain(place.chain())
            .drop(DROP_CHUNKS)
            .whenComplete((nothingLeft, failure) -> {
              if (failure != null) {
                log.warn("drop of a chain failed, again soon place={}", place, failure);
                later(place, engine, DROP_RETRY_SECONDS);
              } else if (nothingLeft) {
                dropped(place, engine);
              } else {
                later(place, engine, 0);
              }
            });
  }

  private void later(Place place, ChunkEngine engine, long seconds) {
    try {
      var _ =
          parts
              .owners()
              .apply(place.chain())
              .schedule(() -> dropSome(place, engine), seconds, TimeUnit.SECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the rest is dropped after the next start place={}", place);
    }
  }

  private synchronized void dropped(Place place, ChunkEngine engine) {
    if (engines.get(place.target()) != engine) {
      return;
    }
    log.info("dropped a chain that was left chain={} target={}", place.chain(), place.target());
    dropping.remove(place);
    if (!closed) {
      seen.chain(place.chain()).ifPresent(chain -> meet(chain, place.target()));
    }
    parts.reportNow().run();
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

  /** Stops every runner; calls that wait are refused. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    List<CompletableFuture<Boolean>> stops =
        runners.values().stream().map(ChainRunner::stop).toList();
    for (CompletableFuture<Boolean> stop : stops) {
      var _ = stop.completeOnTimeout(false, STOP_SECONDS, TimeUnit.SECONDS).join();
    }
  }
}
