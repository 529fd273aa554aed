/**
 * One replica of a chain in motion: carries calls, notices, answers and time to the cores of {@code
 * luciola.storage.chain} and {@code luciola.storage.resync}, and their effects to the engine, the
 * other servers and the callers. Decides in which order and on which thread that happens; never
 * what a chunk is or who serves, and it makes no thread, connection or clock of its own. Start with
 * {@link luciola.storage.replica.ChainRunner}.
 */
@NullMarked
package luciola.storage.replica;

import org.jspecify.annotations.NullMarked;
