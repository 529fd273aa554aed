package luciola.protocol.frame;

import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * What a replica holds of one chunk.
 *
 * @param committed newest committed version, {@link ChunkVersion#NONE} if only pending ones exist
 * @param newest newest version held, pending ones included
 * @param chainVersion chain version under which {@code committed} was committed; 0 with NONE
 * @param removed whether the committed version is a tombstone
 * @param chunkBytes length of the committed version
 * @param checksum as in {@link UpdateReply}, of the committed version
 */
public record ChunkSummary(
    ChunkId chunk,
    ChunkVersion committed,
    ChunkVersion newest,
    int chainVersion,
    boolean removed,
    int chunkBytes,
    int checksum) {}
