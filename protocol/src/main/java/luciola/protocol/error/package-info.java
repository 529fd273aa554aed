/** One table of error codes and the one exception family that carries them. */
@NullMarked
package luciola.protocol.error;

import org.jspecify.annotations.NullMarked;
