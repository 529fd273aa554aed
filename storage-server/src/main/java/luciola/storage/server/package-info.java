/**
 * The storage-server as a process: its configuration, its targets, registration and the lease, and
 * the threads, connections and clock that it gives to {@code luciola.storage.host}. Decides nothing
 * about chunks or chains. Start with {@link luciola.storage.server.StorageServer}.
 */
@NullMarked
package luciola.storage.server;

import org.jspecify.annotations.NullMarked;
