package luciola.protocol.frame;

import luciola.protocol.error.ErrorCode;

/**
 * Answers {@link Hello}.
 *
 * @param node the answering server; 0 with an error
 * @param incarnation number of its present life
 */
public record HelloReply(ErrorCode code, long node, long incarnation) implements Reply {}
