/**
 * Files to bring into Luciola from outside: a file, a directory, a tar or a zip on this machine as
 * one stream of named contents. Start with {@link luciola.cli.source.FileSource}. It never writes.
 */
@NullMarked
package luciola.cli.source;

import org.jspecify.annotations.NullMarked;
