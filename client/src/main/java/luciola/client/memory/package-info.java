/**
 * The file system's contract over plain memory, for tests of programs: same names, same errors,
 * same visibility as the cluster's, nothing to start. It never stands in for the cluster in
 * production. Start with {@link luciola.client.memory.MemoryFileSystem}.
 */
@NullMarked
package luciola.client.memory;

import org.jspecify.annotations.NullMarked;
