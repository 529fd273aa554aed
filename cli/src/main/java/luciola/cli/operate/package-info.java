/**
 * Commands for those who run a cluster: {@code status}, {@code table}, {@code simulate}, {@code
 * dataset}, {@code checkpoint}. Start with {@link luciola.cli.operate.StatusCommand}.
 */
@NullMarked
package luciola.cli.operate;

import org.jspecify.annotations.NullMarked;
