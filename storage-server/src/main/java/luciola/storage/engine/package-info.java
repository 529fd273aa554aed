/**
 * The chunk engine of one target: versions of chunks on disk, durable before they are acknowledged,
 * each byte under a checksum. Decides where bytes go and when they are safe; never which version an
 * update gets or which one a reader may see: that is the chain's business. Start with {@link
 * luciola.storage.engine.ChunkEngine}.
 */
@NullMarked
package luciola.storage.engine;

import org.jspecify.annotations.NullMarked;
