/**
 * The header of a safetensors file: names, types, shapes and places of tensors.
 *
 * <p>Decides what is a valid header and how ours is laid out (data at a multiple of 4 KiB, so that
 * direct reads and GPU copies need no realignment; the padding is spaces, which the format allows).
 * Never reads or writes tensor bytes. Start at {@link
 * luciola.loader.safetensors.SafetensorsHeader}.
 */
@NullMarked
package luciola.loader.safetensors;

import org.jspecify.annotations.NullMarked;
