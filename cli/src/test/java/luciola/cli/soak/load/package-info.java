/** The load proves that it finds what a file system does wrong. */
@NullMarked
package luciola.cli.soak.load;

import org.jspecify.annotations.NullMarked;
