/** Tests of what the kernel says and is told. */
@NullMarked
package luciola.client.fuse;

import org.jspecify.annotations.NullMarked;
