/**
 * The servers as processes: {@code meta-server}, {@code storage-server} and {@code agent} read one
 * configuration file each, start, and run until they are told to end. Nothing here decides what a
 * server does. Start with {@link luciola.cli.server.ConfigFile}.
 */
@NullMarked
package luciola.cli.server;

import org.jspecify.annotations.NullMarked;
