/** Tests of {@code luciola.storage.replica}. */
@NullMarked
package luciola.storage.replica;

import org.jspecify.annotations.NullMarked;
