/**
 * {@code luciola soak}: a cluster of processes of its own, a load that proves what it reads, and
 * faults that hurt the servers meanwhile. It decides when which of them runs and what counts as a
 * failure of the run. Start with {@link luciola.cli.soak.Soak}.
 */
@NullMarked
package luciola.cli.soak;

import org.jspecify.annotations.NullMarked;
