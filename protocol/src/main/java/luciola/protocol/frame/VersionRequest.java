package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;

/** Asks the head of a chain which version of a chunk is committed. */
public record VersionRequest(
    ChainId chain, ChainVersion chainVersion, TargetId target, ChunkId chunk) implements Request {}
