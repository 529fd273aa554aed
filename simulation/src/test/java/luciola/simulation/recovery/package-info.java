/** Members of a replicated log that lose their disks. */
@NullMarked
package luciola.simulation.recovery;

import org.jspecify.annotations.NullMarked;
