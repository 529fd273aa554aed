/** Tests. */
@NullMarked
package luciola.storage.engine;

import org.jspecify.annotations.NullMarked;
