package luciola.protocol.frame;

import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * Outcome of the last update of one channel of one client, kept with the chunks so that a retry
 * after any crash gives the same answer.
 */
public record DedupRecord(UpdateTag tag, ChunkId chunk, ChunkVersion version, int chunkBytes) {}
