/**
 * Memory that the agent and a trainer share, and the messages that pass its slots to and fro.
 *
 * <p>Decides which slot is whose and how a message looks on the socket (docs/agent-protocol.md).
 * Never looks at what is in a slot, and never passes an address: a slot is a number, a place in the
 * region an offset. Start at {@link luciola.loader.slot.SharedRegion} and {@link
 * luciola.loader.slot.AgentMessage}.
 */
@NullMarked
package luciola.loader.slot;

import org.jspecify.annotations.NullMarked;
