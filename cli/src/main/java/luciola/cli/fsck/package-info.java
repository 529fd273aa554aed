/**
 * The check of a whole cluster while it serves: the namespace by the meta-server, the chains here,
 * a page at a time. Nothing is reported that an operation under way explains, and nothing is
 * changed unless asked for. Start with {@link luciola.cli.fsck.FsckCommand}.
 */
@NullMarked
package luciola.cli.fsck;

import org.jspecify.annotations.NullMarked;
