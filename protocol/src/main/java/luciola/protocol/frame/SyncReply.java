package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;

/** Answers {@link SyncStartRequest}, {@link SyncDoneRequest} and {@link DedupRequest}. */
public record SyncReply(ErrorCode code, int chainVersion) implements Reply {}
