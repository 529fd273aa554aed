/**
 * What travels between the parts of Luciola and what it means. Start with {@link
 * luciola.protocol.id} for the words, {@code luciola.protocol.frame} for the data plane and {@code
 * luciola.protocol.routing} for where a chunk lives.
 */
@NullMarked
package luciola.protocol;

import org.jspecify.annotations.NullMarked;
