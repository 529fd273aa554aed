/**
 * The rules that every run must keep, one file for each truth. A broken one is thrown as a {@link
 * luciola.simulation.check.RuleBroken}.
 */
@NullMarked
package luciola.simulation.check;

import org.jspecify.annotations.NullMarked;
