package luciola.protocol.frame;

import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * A chunk that was removed.
 *
 * @param version the removal
 */
public record RemovedChunk(ChunkId chunk, ChunkVersion version) {}
