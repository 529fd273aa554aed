/**
 * The whole cluster in one thread under a seed. Start with {@link luciola.simulation.Simulation}:
 * it runs seeds and reports the first that breaks a rule. The protocol's decisions are made by the
 * production cores; only the world around them is simulated.
 */
@NullMarked
package luciola.simulation;

import org.jspecify.annotations.NullMarked;
