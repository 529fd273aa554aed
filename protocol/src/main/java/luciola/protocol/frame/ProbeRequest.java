package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;

/**
 * Sent by a replica that became serving to the others of its chain: it serves reads only when each
 * has answered that it acts by this version or a newer one, so that no former authority answers by
 * an older one.
 */
public record ProbeRequest(ChainId chain, ChainVersion chainVersion, TargetId from, TargetId target)
    implements Request {}
