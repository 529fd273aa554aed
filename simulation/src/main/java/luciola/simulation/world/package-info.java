/**
 * The simulated world: time as a queue of events, processes that stop, pause and have clocks of
 * their own, a network that loses, delays, reorders and repeats. Knows nothing of what is simulated
 * in it. Start with {@link luciola.simulation.world.World}.
 */
@NullMarked
package luciola.simulation.world;

import org.jspecify.annotations.NullMarked;
