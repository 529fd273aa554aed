/** Tests of placement. */
@NullMarked
package luciola.meta.placement;

import org.jspecify.annotations.NullMarked;
