/**
 * The storage-server as a process: opens its targets, registers and holds a lease, carries events
 * to the cores of {@code luciola.storage.chain} and {@code luciola.storage.resync} and their
 * effects to the engine, the connections and the clock. Decides nothing about chunks or chains.
 * Start with {@link luciola.storage.server.StorageServer}.
 */
@NullMarked
package luciola.storage.server;

import org.jspecify.annotations.NullMarked;
