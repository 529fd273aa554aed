package luciola.protocol.router;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.StorageNode;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of chain replication: makes a {@link Route} for each request and keeps what the
 * requests of one client share (bytes outstanding per server, servers to avoid).
 *
 * <p>Reads may go to every serving replica: first those not tried in this round and not avoided,
 * among them those of the client's own zone. Among these every chunk has one that all clients
 * prefer (the highest hash of chunk and target), so that the same bytes fill one server's page
 * cache and not three; with {@link #LEAD_BYTES} more outstanding there than at another one drawn at
 * random, that one is taken. Reads that name no chunk go to the less loaded of two drawn at random:
 * the best of all by load would send every client to the same server at once; two choices come
 * close to it without (Mitzenmacher, "The power of two choices in randomized load balancing").
 *
 * <p>Not safe for several threads: its owner serialises calls to it and to its routes.
 */
public final class ChunkRouter {
  /** Label of a server that says which zone it is in. */
  public static final String ZONE_LABEL = "zone";

  /** Bytes that the replica a chunk prefers may have outstanding more than another. */
  public static final long LEAD_BYTES = 8L << 20;

  private final RouterLimits limits;
  private final Optional<String> zone;
  private final LongSupplier random;
  private final ReplicaLoad load = new ReplicaLoad();

  /**
   * Of the routing {@link #candidatesOf}: replicas of each chain, the client's zone first choice.
   */
  private final Map<ChainId, List<Replica>> candidates = new HashMap<>();

  private @Nullable Routing candidatesOf;

  /**
   * A router with nothing outstanding.
   *
   * @param zone where this client is; empty: every replica is as near
   * @param random uniform numbers of 64 bits
   */
  public ChunkRouter(RouterLimits limits, Optional<String> zone, LongSupplier random) {
    this.limits = limits;
    this.zone = zone;
    this.random = random;
  }

  /** A route for an update, or whatever else only the head of a chain answers. */
  public Route toHead(ChainId chain, long nowNanos) {
    return new Route(this, chain, false, 0, Route.NO_CHUNK, nowNanos, limits);
  }

  /** Like {@link #toHead(ChainId, long)} with a deadline of its own. */
  public Route toHead(ChainId chain, long nowNanos, long deadlineNanos) {
    return new Route(
        this, chain, false, 0, Route.NO_CHUNK, nowNanos, limits.withDeadlineNanos(deadlineNanos));
  }

  /**
   * A route for a read.
   *
   * @param bytes asked for, by which load is counted
   */
  public Route toReplica(ChainId chain, long bytes, long nowNanos) {
    return new Route(this, chain, true, bytes, Route.NO_CHUNK, nowNanos, limits);
  }

  /** Like {@link #toReplica(ChainId, long, long)}, at the replica that the chunk prefers. */
  public Route toReplica(ChainId chain, ChunkId chunk, long bytes, long nowNanos) {
    return new Route(this, chain, true, bytes, number(chunk), nowNanos, limits);
  }

  /** The same number at every client. */
  private static long number(ChunkId chunk) {
    return mix(chunk.inode().value() + mix(chunk.index())) & Long.MAX_VALUE;
  }

  /** Bytes of reads sent to a server and not answered yet. */
  public long outstandingBytes(NodeId node) {
    return load.outstandingBytes(node);
  }

  ReplicaLoad load() {
    return load;
  }

  /** A wait of the given step of the doubling sequence, drawn from its upper half. */
  long backoffNanos(RouterLimits of, int failures) {
    int doublings = Math.min(Math.max(failures - 1, 0), 40);
    long full =
        of.backoffMinNanos() > of.backoffMaxNanos() >> doublings
            ? of.backoffMaxNanos()
            : of.backoffMinNanos() << doublings;
    return full - below(full / 2 + 1);
  }

  /**
   * A serving replica that a read may go to, not one of {@code tried}; null if there is none.
   *
   * @param chunk what it reads from, by a number; {@link Route#NO_CHUNK}
   */
  @Nullable Replica replica(
      Routing routing, Chain chain, Set<TargetId> tried, long chunk, long nowNanos) {
    List<Replica> best = known(routing, chain);
    if (!tried.isEmpty() || load.avoidsAny()) {
      best = allowed(routing, chain, tried, nowNanos);
    }
    return switch (best.size()) {
      case 0 -> null;
      case 1 -> best.getFirst();
      default -> chunk == Route.NO_CHUNK ? lessLoaded(best) : preferred(best, chunk);
    };
  }

  /** Where reads of a chain go while all is well; found once for each routing. */
  private List<Replica> known(Routing routing, Chain chain) {
    if (routing != candidatesOf) {
      candidates.clear();
      candidatesOf = routing;
    }
    List<Replica> found = candidates.get(chain.id());
    if (found == null) {
      found = inZone(serving(routing, chain, Set.of()));
      candidates.put(chain.id(), found);
    }
    return found;
  }

  private List<Replica> allowed(Routing routing, Chain chain, Set<TargetId> tried, long nowNanos) {
    List<Replica> serving = serving(routing, chain, tried);
    return inZone(preferred(serving, replica -> !load.avoided(replica.node().id(), nowNanos)));
  }

  private List<Replica> serving(Routing routing, Chain chain, Set<TargetId> tried) {
    List<Replica> found = new ArrayList<>();
    for (TargetId target : chain.serving()) {
      if (!tried.contains(target)) {
        routing
            .nodeOf(target)
            .ifPresent(node -> found.add(new Replica(target, node, load.server(node.id()))));
      }
    }
    return found;
  }

  private List<Replica> inZone(List<Replica> replicas) {
    return zone.isEmpty()
        ? replicas
        : preferred(
            replicas, replica -> zone.get().equals(replica.node().labels().get(ZONE_LABEL)));
  }

  private static List<Replica> preferred(List<Replica> from, Predicate<Replica> wish) {
    List<Replica> some = from.stream().filter(wish).toList();
    return some.isEmpty() ? from : some;
  }

  /** Rendezvous hashing: a replica that goes away moves only the chunks that preferred it. */
  private Replica preferred(List<Replica> replicas, long chunk) {
    Replica first = replicas.getFirst();
    long highest = Long.MIN_VALUE;
    for (int i = 0; i < replicas.size(); i++) {
      long rank = mix(mix(chunk) ^ replicas.get(i).target().value());
      if (rank >= highest) {
        highest = rank;
        first = replicas.get(i);
      }
    }
    if (first.load().outstandingBytes() < LEAD_BYTES) {
      return first;
    }
    Replica other = replicas.get((int) below(replicas.size()));
    return other.load().outstandingBytes() + LEAD_BYTES <= first.load().outstandingBytes()
        ? other
        : first;
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long mixed = value + 0x9E37_79B9_7F4A_7C15L;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return mixed ^ (mixed >>> 31);
  }

  private Replica lessLoaded(List<Replica> replicas) {
    int first = (int) below(replicas.size());
    int second = (int) below(replicas.size() - 1L);
    Replica a = replicas.get(first);
    Replica b = replicas.get(second < first ? second : second + 1);
    return b.load().outstandingBytes() < a.load().outstandingBytes() ? b : a;
  }

  private long below(long bound) {
    return Math.floorMod(random.getAsLong(), bound);
  }

  /** A target, its server, and what is outstanding there. */
  record Replica(TargetId target, StorageNode node, ReplicaLoad.Server load) {}
}
