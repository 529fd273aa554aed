/**
 * Decides everything about one target's place in one chain: which version an update gets, when it
 * is acknowledged and committed, which version a read sees, what happens when the chain changes.
 * Never does I/O, reads a clock or touches payload bytes: events go in, effects come out. Start
 * with {@link luciola.storage.chain.ChainReplica}.
 */
@NullMarked
package luciola.storage.chain;

import org.jspecify.annotations.NullMarked;
