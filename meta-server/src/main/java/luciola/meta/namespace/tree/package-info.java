/**
 * What the namespace is made of: inodes, names, sessions, garbage and remembered replies, as typed
 * access to a key-value view, and what every operation needs of them: walking a path, permissions.
 * Decides no operation; pure. Start with {@link luciola.meta.namespace.tree.Tree}.
 */
@NullMarked
package luciola.meta.namespace.tree;

import org.jspecify.annotations.NullMarked;
