/**
 * The replicated log: commands go in, are agreed upon and applied in one order to the state on
 * every member. Decides nothing about what commands mean. Ratis stays in this package. Start with
 * {@link luciola.meta.log.MetaLog}.
 */
@NullMarked
package luciola.meta.log;

import org.jspecify.annotations.NullMarked;
