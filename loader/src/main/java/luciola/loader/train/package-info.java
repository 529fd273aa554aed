/**
 * A small byte-level language model and the loop that trains it.
 *
 * <p>Decides the arithmetic of a step (same bits for the same batches, whatever the timing) and
 * when a checkpoint is taken. Never reads files or chooses samples: batches come through {@link
 * luciola.loader.train.BatchSource}. Start at {@code TrainingLoop}.
 */
@NullMarked
package luciola.loader.train;

import org.jspecify.annotations.NullMarked;
