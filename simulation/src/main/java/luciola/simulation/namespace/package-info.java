/**
 * A file system's names under seeds: the production namespace on a replicated log whose members
 * crash, are held, lose their disks and their lead, with clients that send again and die. All of it
 * is held against a plain model of POSIX, in the order of the log. Start with {@link
 * luciola.simulation.namespace.NamespaceRun}.
 */
@NullMarked
package luciola.simulation.namespace;

import org.jspecify.annotations.NullMarked;
