/**
 * Copies trees of files between this machine and Luciola, many files and many pieces of long files
 * at once within bounds: a file appears under its name only when it is whole, one that fails does
 * not stop the others, and what was begun can be gone on with. Never decides what to do about a
 * failure. Start with {@link luciola.cli.transfer.TreeCopy}.
 */
@NullMarked
package luciola.cli.transfer;

import org.jspecify.annotations.NullMarked;
