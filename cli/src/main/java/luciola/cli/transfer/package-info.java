/**
 * Copies trees of files between this machine and Luciola, many files at once within bounds: a file
 * appears under its name only when it is whole, and one that fails does not stop the others. Never
 * decides what to do about a failure. Start with {@link luciola.cli.transfer.Upload}.
 */
@NullMarked
package luciola.cli.transfer;

import org.jspecify.annotations.NullMarked;
