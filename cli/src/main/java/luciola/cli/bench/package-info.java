/**
 * Figures of this machine and of Luciola on it, side by side: each figure is printed with the
 * machine's own limit, measured right before it. Start with {@link luciola.cli.bench.Meter}. It
 * decides nothing about what is good enough.
 */
@NullMarked
package luciola.cli.bench;

import org.jspecify.annotations.NullMarked;
