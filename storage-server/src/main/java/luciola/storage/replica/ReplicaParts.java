package luciola.storage.replica;

import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import java.util.function.LongSupplier;
import luciola.protocol.id.ChainId;
import luciola.storage.chain.CollectLimits;
import luciola.storage.peer.Peers;
import luciola.storage.peer.RoutingSource;
import luciola.storage.peer.WholeChunks;
import luciola.storage.resync.TokenBucket;

/**
 * What the runners of all chains share.
 *
 * @param settings limits of every replica
 * @param owners the one thread that decides for a chain
 * @param readers threads that read from disks
 * @param clock monotonic nanoseconds; leases are counted by it
 * @param collect when tombstones are forgotten
 * @param resyncBudget bandwidth of filling other replicas
 * @param reportNow sends a heartbeat soon
 * @param observer sees what every replica decides
 */
public record ReplicaParts(
    ReplicaSettings settings,
    Function<ChainId, ScheduledExecutorService> owners,
    Executor readers,
    Peers peers,
    RoutingSource routing,
    WholeChunks wholeChunks,
    LongSupplier clock,
    CollectLimits collect,
    TokenBucket resyncBudget,
    Runnable reportNow,
    ChainObserver observer) {}
