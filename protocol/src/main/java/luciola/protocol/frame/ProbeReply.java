package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;

/** Answers {@link ProbeRequest} once the receiver acts by that chain version or a newer one. */
public record ProbeReply(ErrorCode code, int chainVersion) implements Reply {}
