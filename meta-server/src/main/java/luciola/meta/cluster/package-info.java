/**
 * The cluster manager: which target is in which chain in which state, and who may serve. Pure: it
 * sends nothing, reads no clock and stores nothing itself.
 *
 * <p>Hard state ({@link luciola.meta.cluster.ClusterState}: nodes, targets, chains, tables) changes
 * only by commands of the replicated log. Soft state ({@link luciola.meta.cluster.ClusterManager}:
 * heartbeats, local states) belongs to the leader and is lost with it. Start with {@code
 * ClusterManager}; the rules for one chain are in {@link luciola.meta.cluster.ChainTransitions}.
 */
@NullMarked
package luciola.meta.cluster;

import org.jspecify.annotations.NullMarked;
