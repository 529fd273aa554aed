package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/** Answers {@link VersionRequest}; {@link ChunkVersion#NONE} where the chunk was never made. */
public record VersionReply(ErrorCode code, ChunkVersion committed, int chainVersion)
    implements Reply {}
