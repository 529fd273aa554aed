/** Tests of {@code luciola.storage.host}. */
@NullMarked
package luciola.storage.host;

import org.jspecify.annotations.NullMarked;
