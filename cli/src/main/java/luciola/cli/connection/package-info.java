/**
 * Which cluster a command works on and how it is reached: the option, the environment variable, or
 * the {@code cluster.json} that {@code local up} leaves in its data folder. Start with {@link
 * luciola.cli.connection.ClusterOption}.
 */
@NullMarked
package luciola.cli.connection;

import org.jspecify.annotations.NullMarked;
