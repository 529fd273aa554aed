/**
 * Whether the namespace agrees with itself, and how it is put right. Pure: a check reads one view
 * in scans of bounded memory, a repair is a change of the replicated log that looks again before it
 * touches anything. It never removes a file that has links: what lost its name goes to {@code
 * /lost+found}. Start with {@link luciola.meta.namespace.check.NamespaceCheck}.
 */
@NullMarked
package luciola.meta.namespace.check;

import org.jspecify.annotations.NullMarked;
