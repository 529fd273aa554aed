/**
 * The one program, {@code luciola}: {@link luciola.cli.Main} reads the command line, finds the
 * command and turns whatever it throws into one line and an exit code. It decides nothing about
 * files or chains. Start with {@link luciola.cli.Main}; each command is a class in the package of
 * its subject ({@code files}, {@code local}, {@code server}, {@code operate}, {@code demo}).
 */
@NullMarked
package luciola.cli;

import org.jspecify.annotations.NullMarked;
