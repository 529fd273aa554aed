/** Tests of what the kernel says and is told. */
@NullMarked
package luciola.client.mount;

import org.jspecify.annotations.NullMarked;
