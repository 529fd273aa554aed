/**
 * The agent of a training node, as trainers see it: a server on a Unix socket that opens datasets,
 * reads batches ahead into shared memory in the order of the plan, and reads files for processes
 * that are not Java; and its Java client.
 *
 * <p>Decides when to read what, bounded by slots. Never decides an order ({@link
 * luciola.loader.order}) or where samples lie ({@link luciola.loader.dataset}). Start at {@link
 * luciola.loader.agent.LoaderAgent}; the protocol is in docs/agent-protocol.md.
 */
@NullMarked
package luciola.loader.agent;

import org.jspecify.annotations.NullMarked;
