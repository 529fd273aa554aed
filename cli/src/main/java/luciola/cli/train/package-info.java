/**
 * {@code luciola train}: a training worker as a process of its own, fed by an agent through shared
 * memory. Start with {@link luciola.cli.train.TrainCommand}. It never chooses samples and never
 * touches chunks: the agent and the client do.
 */
@NullMarked
package luciola.cli.train;

import org.jspecify.annotations.NullMarked;
