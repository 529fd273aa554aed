/**
 * Who may use the cluster: users, tokens and the keys of the data plane as replicated state, and
 * the rules of who may call what and in whose name. Never reads a clock, a secret or a file, and
 * knows nothing of connections: time and what was shown go in, a decision comes out. Start with
 * {@link luciola.meta.access.AccessState} and {@link luciola.meta.access.AccessRules}.
 */
@NullMarked
package luciola.meta.access;

import org.jspecify.annotations.NullMarked;
