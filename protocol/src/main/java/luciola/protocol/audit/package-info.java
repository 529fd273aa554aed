/**
 * A record of who operated the cluster and who was refused: one line each in a file that is
 * rotated. Decides nothing and never makes its callers wait. Start with {@link
 * luciola.protocol.audit.AuditLog}.
 */
@NullMarked
package luciola.protocol.audit;

import org.jspecify.annotations.NullMarked;
