package luciola.storage.replica;

import java.time.Duration;
import luciola.storage.chain.ChainLimits;
import luciola.storage.resync.ResyncLimits;

/**
 * Limits of a server's replicas.
 *
 * @param chain limits of each chain's replica
 * @param resync limits of filling another replica
 * @param resyncRetry pause before a failed resync begins anew
 * @param readThreads among how many threads a long read is divided, 1 …
 */
public record ReplicaSettings(
    ChainLimits chain, ResyncLimits resync, Duration resyncRetry, int readThreads) {}
