/**
 * What commands share at the terminal: where they print, exit codes, tables, units, progress and
 * JSON. It knows nothing of clusters. Start with {@link luciola.cli.terminal.Invocation}.
 */
@NullMarked
package luciola.cli.terminal;

import org.jspecify.annotations.NullMarked;
