/**
 * Decides which samples a rank gets, in which order, and where a run stands in its data. Start at
 * {@link luciola.loader.order.SampleOrder}; the permutation itself, defined bit by bit, is {@link
 * luciola.loader.order.KeyedPermutation}.
 *
 * <p>Pure: no threads, clocks, files or random numbers. It knows sample numbers only, never what a
 * sample is or where it lies.
 */
@NullMarked
package luciola.loader.order;

import org.jspecify.annotations.NullMarked;
