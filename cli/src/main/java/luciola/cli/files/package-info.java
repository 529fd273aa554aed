/**
 * Commands on files of a cluster: {@code ls cat mkdir mv rm stat du put get cp}. Each is a class
 * that asks a {@link luciola.client.LuciolaFileSystem}; none knows how it is reached. Start with
 * {@link luciola.cli.files.FileCommand}.
 */
@NullMarked
package luciola.cli.files;

import org.jspecify.annotations.NullMarked;
