/** Whole clusters in processes of their own, as users run them. */
@NullMarked
package luciola.cli.local;

import org.jspecify.annotations.NullMarked;
