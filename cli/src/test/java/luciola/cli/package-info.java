/** Runs commands as a user does. */
@NullMarked
package luciola.cli;

import org.jspecify.annotations.NullMarked;
