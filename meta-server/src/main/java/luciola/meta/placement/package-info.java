/**
 * Where replicas go: layouts of chains over targets, their balance, and the fewest moves that drain
 * a target or fill a new one. Decides nothing by itself: it proposes, and {@code
 * luciola.meta.cluster} applies what keeps its rules. Reads no clock of its own and stores nothing.
 *
 * <p>Start with {@link luciola.meta.placement.LayoutPlanner} for new chains and {@link
 * luciola.meta.placement.MovePlanner} for those that exist; {@link luciola.meta.placement.Balance}
 * says how good either is.
 */
@NullMarked
package luciola.meta.placement;

import org.jspecify.annotations.NullMarked;
