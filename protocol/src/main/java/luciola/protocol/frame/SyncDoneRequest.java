package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;

/**
 * The predecessor tells a syncing replica that it now holds everything but the floor.
 *
 * @param floor of versions at the predecessor: the replica's is no lower, durably, before it counts
 *     as complete
 */
public record SyncDoneRequest(
    ChainId chain, ChainVersion chainVersion, TargetId from, TargetId to, ChunkVersion floor)
    implements Request {}
