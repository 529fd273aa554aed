/** Benches, and what they are made of. */
@NullMarked
package luciola.cli.bench;

import org.jspecify.annotations.NullMarked;
