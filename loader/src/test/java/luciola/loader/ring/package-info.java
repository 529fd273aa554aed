/** Tests of rings. */
@NullMarked
package luciola.loader.ring;

import org.jspecify.annotations.NullMarked;
