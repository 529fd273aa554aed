/**
 * Figures of this machine and of Luciola on it, side by side: each figure is printed with the
 * machine's own limit, measured in the same run. Start with {@link luciola.cli.bench.DiskLimit} and
 * {@link luciola.cli.bench.BenchResult}.
 */
@NullMarked
package luciola.cli.bench;

import org.jspecify.annotations.NullMarked;
