/**
 * Files, directories and links as one deterministic state machine over a key-value view. Pure: the
 * time comes with the command, changes go to the caller's batch. Start with {@link
 * luciola.meta.namespace.Namespace}.
 */
@NullMarked
package luciola.meta.namespace;

import org.jspecify.annotations.NullMarked;
