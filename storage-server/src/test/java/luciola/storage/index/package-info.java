/** Tests. */
@NullMarked
package luciola.storage.index;

import org.jspecify.annotations.NullMarked;
