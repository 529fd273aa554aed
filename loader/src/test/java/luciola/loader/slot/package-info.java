@NullMarked
package luciola.loader.slot;

import org.jspecify.annotations.NullMarked;
