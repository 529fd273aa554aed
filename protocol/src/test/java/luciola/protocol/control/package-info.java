/** Tests of the calling end of the control plane over real connections. */
@NullMarked
package luciola.protocol.control;

import org.jspecify.annotations.NullMarked;
