/** Tests of the java.nio.file provider, over the file system in memory. */
@NullMarked
package luciola.client.nio;

import org.jspecify.annotations.NullMarked;
