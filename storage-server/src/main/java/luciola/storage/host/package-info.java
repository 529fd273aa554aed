/**
 * All replicas of one server: which there are, as routing says, what is dropped after a chain was
 * left, who of them gets a call, which reads need no decision, and what is reported of them.
 * Decides nothing within a chain and opens neither targets nor connections. Start with {@link
 * luciola.storage.host.ReplicaHost}.
 */
@NullMarked
package luciola.storage.host;

import org.jspecify.annotations.NullMarked;
