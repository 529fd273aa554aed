/** Tests. */
@NullMarked
package luciola.storage.disk;

import org.jspecify.annotations.NullMarked;
