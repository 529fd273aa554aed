/**
 * Decides how a returned replica is filled by the tail of its chain: what to copy, remove and keep
 * ({@link luciola.storage.resync.ResyncPlanner}), in which order and when it is complete ({@link
 * luciola.storage.resync.ResyncSource}). Never does I/O. The rules of the side that is filled are
 * in {@code luciola.storage.chain.SyncReceiver}.
 */
@NullMarked
package luciola.storage.resync;

import org.jspecify.annotations.NullMarked;
