/** Configuration files, good and bad. */
@NullMarked
package luciola.cli.server;

import org.jspecify.annotations.NullMarked;
