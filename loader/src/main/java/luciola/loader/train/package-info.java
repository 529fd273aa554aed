/**
 * The loop that trains a model on batches.
 *
 * <p>Decides when a checkpoint is taken and what state of the run is in it. Never reads datasets or
 * chooses samples: batches come through {@link luciola.loader.train.BatchSource}. Start at {@link
 * luciola.loader.train.TrainingLoop}.
 */
@NullMarked
package luciola.loader.train;

import org.jspecify.annotations.NullMarked;
