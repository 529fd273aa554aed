package luciola.storage.server;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import luciola.protocol.control.RoutingFeed;

/**
 * What the runners of all chains share.
 *
 * @param readers threads that read from disks
 * @param clock monotonic nanoseconds; leases are counted by it
 * @param reportNow sends a heartbeat soon
 */
record ServerParts(
    StorageServerConfig config,
    Owners owners,
    Executor readers,
    Peers peers,
    RoutingFeed routing,
    WholeChunks wholeChunks,
    LongSupplier clock,
    Runnable reportNow) {}
