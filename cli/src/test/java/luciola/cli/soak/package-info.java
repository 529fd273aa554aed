/** A short soak. */
@NullMarked
package luciola.cli.soak;

import org.jspecify.annotations.NullMarked;
