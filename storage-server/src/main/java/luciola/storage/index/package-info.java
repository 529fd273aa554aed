/**
 * Metadata of one target: what is known of each chunk and of each client channel, its byte layouts,
 * and where it is stored. Every native handle of RocksDB lives in this package. Decides nothing
 * about versions. Start with {@link luciola.storage.index.ChunkIndex} and {@link
 * luciola.storage.index.ChunkRecord}.
 */
@NullMarked
package luciola.storage.index;

import org.jspecify.annotations.NullMarked;
