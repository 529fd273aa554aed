/**
 * A small byte-level language model on the CPU, by the Vector API, with its optimiser.
 *
 * <p>Decides the arithmetic of a step: the same batches give the same bits, whatever the timing and
 * the number of threads. Never chooses batches, reads files or keeps checkpoints: its parameters
 * and moments are tensors that others read and fill. Start at {@link
 * luciola.loader.model.LanguageModel}.
 */
@NullMarked
package luciola.loader.model;

import org.jspecify.annotations.NullMarked;
