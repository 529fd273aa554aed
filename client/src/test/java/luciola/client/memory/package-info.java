/** Tests of the file system in memory. */
@NullMarked
package luciola.client.memory;

import org.jspecify.annotations.NullMarked;
