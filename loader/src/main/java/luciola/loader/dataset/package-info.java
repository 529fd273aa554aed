/**
 * Datasets as files: the record shards and Megatron token files that are read and written, the
 * catalog beside them, packing, opening and checking.
 *
 * <p>Decides where each sample's bytes lie and whether they are whole. Never decides an order
 * ({@link luciola.loader.order}) and never owns batch memory ({@link luciola.loader.slot}). Start
 * at {@link luciola.loader.dataset.Dataset} for reading, {@link
 * luciola.loader.dataset.DatasetPacker} for writing; the byte layouts are in docs/formats.md.
 */
@NullMarked
package luciola.loader.dataset;

import org.jspecify.annotations.NullMarked;
