package luciola.protocol.router;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import luciola.protocol.id.ChainId;
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
 * among them those of the client's own zone, among them the less loaded of two drawn at random. The
 * best of all by load would send every client to the same server at once; two choices come close to
 * it without (Mitzenmacher, "The power of two choices in randomized load balancing").
 *
 * <p>Not safe for several threads: its owner serialises calls to it and to its routes.
 */
public final class ChunkRouter {
  /** Label of a server that says which zone it is in. */
  public static final String ZONE_LABEL = "zone";

  private final RouterLimits limits;
  private final Optional<String> zone;
  private final LongSupplier random;
  private final ReplicaLoad load = new ReplicaLoad();

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
    return new Route(this, chain, false, 0, nowNanos, limits);
  }

  /** Like {@link #toHead(ChainId, long)} with a deadline of its own. */
  public Route toHead(ChainId chain, long nowNanos, long deadlineNanos) {
    return new Route(this, chain, false, 0, nowNanos, limits.withDeadlineNanos(deadlineNanos));
  }

  /**
   * A route for a read.
   *
   * @param bytes asked for, by which load is counted
   */
  public Route toReplica(ChainId chain, long bytes, long nowNanos) {
    return new Route(this, chain, true, bytes, nowNanos, limits);
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

  /** A serving replica that a read may go to, not one of {@code tried}; null if there is none. */
  @Nullable Replica replica(Routing routing, Chain chain, Set<TargetId> tried, long nowNanos) {
    List<Replica> candidates = new ArrayList<>();
    for (TargetId target : chain.serving()) {
      if (!tried.contains(target)) {
        routing.nodeOf(target).ifPresent(node -> candidates.add(new Replica(target, node)));
      }
    }
    List<Replica> best =
        preferred(candidates, replica -> !load.avoided(replica.node().id(), nowNanos));
    best = preferred(best, replica -> inZone(replica.node()));
    return best.isEmpty() ? null : lessLoaded(best);
  }

  private boolean inZone(StorageNode node) {
    return zone.isPresent() && zone.get().equals(node.labels().get(ZONE_LABEL));
  }

  private static List<Replica> preferred(List<Replica> from, Predicate<Replica> wish) {
    List<Replica> some = from.stream().filter(wish).toList();
    return some.isEmpty() ? from : some;
  }

  private Replica lessLoaded(List<Replica> replicas) {
    int first = (int) below(replicas.size());
    if (replicas.size() == 1) {
      return replicas.getFirst();
    }
    int second = (int) below(replicas.size() - 1L);
    Replica a = replicas.get(first);
    Replica b = replicas.get(second < first ? second : second + 1);
    return load.outstandingBytes(b.node().id()) < load.outstandingBytes(a.node().id()) ? b : a;
  }

  private long below(long bound) {
    return Math.floorMod(random.getAsLong(), bound);
  }

  /** A target and its server. */
  record Replica(TargetId target, StorageNode node) {}
}
