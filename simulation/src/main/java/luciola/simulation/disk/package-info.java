/**
 * The disk of a simulated target, below the production chunk engine: block files that keep, lose or
 * tear what was not flushed, metadata of which a prefix survives, bad sectors and rotten bits.
 * Start with {@link luciola.simulation.disk.SimMedium}.
 */
@NullMarked
package luciola.simulation.disk;

import org.jspecify.annotations.NullMarked;
