/**
 * Space of one target: sparse files of power-of-two blocks, which blocks are taken, and the
 * directory's identity and lock. Decides where a block lies and when its space goes back to the
 * disk. Knows nothing of chunks, versions or checksums. Start with {@link
 * luciola.storage.disk.BlockStore}.
 */
@NullMarked
package luciola.storage.disk;

import org.jspecify.annotations.NullMarked;
