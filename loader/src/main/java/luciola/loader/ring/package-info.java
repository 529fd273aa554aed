/**
 * Rings: a process that is not Java reads and writes files by entries in memory that it shares with
 * the agent, without a system call for each.
 *
 * <p>Decides what of a ring is taken, refused or ends its owner, how the two sides put each other
 * to sleep and wake up, and what is freed when the owner is gone. Never trusts the owner: every
 * entry is copied out of the shared memory before it is looked at, and every index is checked
 * before it is followed. Never decides where bytes lie or what follows an error of a server: that
 * is {@link luciola.client}. Start at {@link luciola.loader.ring.RingLayout}, then {@link
 * luciola.loader.ring.RingServer}; the protocol is in docs/agent-protocol.md, the C side in
 * loader/c/luciola_ring.h.
 */
@NullMarked
package luciola.loader.ring;

import org.jspecify.annotations.NullMarked;
