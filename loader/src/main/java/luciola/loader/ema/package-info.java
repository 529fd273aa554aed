/**
 * The exponential moving average of a model's parameters, in fp32, in host memory.
 *
 * <p>Decides how the average follows the parameters and which share of them a rank keeps. Never
 * writes files: checkpoints take the average as ordinary tensors. Start at {@link
 * luciola.loader.ema.EmaUpdater}.
 */
@NullMarked
package luciola.loader.ema;

import org.jspecify.annotations.NullMarked;
