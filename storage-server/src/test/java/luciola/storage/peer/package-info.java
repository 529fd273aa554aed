/** Tests of {@code luciola.storage.peer}. */
@NullMarked
package luciola.storage.peer;

import org.jspecify.annotations.NullMarked;
