/** Servers that are paused or cut off serve nothing old: exact tests over real processes. */
@NullMarked
package luciola.cli.soak.fault;

import org.jspecify.annotations.NullMarked;
