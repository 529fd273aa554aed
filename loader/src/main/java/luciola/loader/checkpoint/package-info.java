/**
 * Checkpoints: tensors and the loader's position, written in the background, committed by one
 * rename.
 *
 * <pre>
 * root/step-00000010/model.safetensors      whole directory appears by rename when everything
 *                   /optimizer.safetensors  in it is durable
 *                   /ema.safetensors
 *                   /manifest.json          checksums and places of all tensors, position
 * root/.step-00000020.tmp-4f21…             being written, or left by an interrupted save
 * root/.step-00000001.removed-77ab…         being removed
 * </pre>
 *
 * <p>Decides what is saved, when it counts as saved, and what is kept. Never decides what a tensor
 * means. Start at {@link luciola.loader.checkpoint.CheckpointWriter} and {@link
 * luciola.loader.checkpoint.CheckpointReader}.
 */
@NullMarked
package luciola.loader.checkpoint;

import org.jspecify.annotations.NullMarked;
