/**
 * {@code luciola demo}: the main job of the system on this machine, each claim checked as it is
 * made. Start with {@link luciola.cli.demo.Demo}. Nothing here is used by another command.
 */
@NullMarked
package luciola.cli.demo;

import org.jspecify.annotations.NullMarked;
