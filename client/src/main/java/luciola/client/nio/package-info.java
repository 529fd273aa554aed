/**
 * The file system behind {@code java.nio.file}: any library that takes a {@code Path} works on
 * {@code luciola://host:port/path}. Translates names, options and errors; moves no byte itself but
 * those of heap buffers. Start with {@link luciola.client.nio.LuciolaFileSystemProvider}.
 */
@NullMarked
package luciola.client.nio;

import org.jspecify.annotations.NullMarked;
