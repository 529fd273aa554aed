/** Tests of the client's routing of chunk requests. */
@NullMarked
package luciola.protocol.router;

import org.jspecify.annotations.NullMarked;
