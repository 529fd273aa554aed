/**
 * Quotas of directories: how they are set and shown, and how what was there before the first one is
 * counted, a bounded number of names at a time. What changes usage, and who is refused, is decided
 * in {@link luciola.meta.namespace.tree.Usages}. Pure. Start with {@link
 * luciola.meta.namespace.quota.QuotaChange}.
 */
@NullMarked
package luciola.meta.namespace.quota;

import org.jspecify.annotations.NullMarked;
