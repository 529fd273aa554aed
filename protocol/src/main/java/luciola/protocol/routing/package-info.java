/**
 * Where chunks live: nodes, chains and chain tables as immutable snapshots, changed by deltas.
 * Start with {@link luciola.protocol.routing.Routing}.
 */
@NullMarked
package luciola.protocol.routing;

import org.jspecify.annotations.NullMarked;
