/**
 * The meta-server's state on disk: a RocksDB database whose native handles stay in this package,
 * and the data directory's identity and lock. Decides nothing about what is stored. Start with
 * {@link luciola.meta.store.RocksStore}.
 */
@NullMarked
package luciola.meta.store;

import org.jspecify.annotations.NullMarked;
