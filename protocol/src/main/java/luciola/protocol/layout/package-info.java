/** Which chain holds which chunk of a file: defined bit by bit, with test vectors. */
@NullMarked
package luciola.protocol.layout;

import org.jspecify.annotations.NullMarked;
