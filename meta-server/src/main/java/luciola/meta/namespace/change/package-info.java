/**
 * The operations that change the namespace, one a file: each checks everything first, then changes.
 * They neither read a clock nor remember requests; that is done around them. Start with {@link
 * luciola.meta.namespace.change.Operation}.
 */
@NullMarked
package luciola.meta.namespace.change;

import org.jspecify.annotations.NullMarked;
