/**
 * A whole cluster on one machine, for a laptop, the demo and tests: {@link
 * luciola.cli.local.LocalCluster} starts, watches, kills and stops its servers, in this JVM or as
 * processes; {@code luciola local up|down|status} runs one in the background. It never touches a
 * server's data. Start with {@link luciola.cli.local.LocalCluster}.
 */
@NullMarked
package luciola.cli.local;

import org.jspecify.annotations.NullMarked;
