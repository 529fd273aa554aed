package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;

/** The predecessor tells a syncing replica that it begins to fill it. */
public record SyncStartRequest(ChainId chain, ChainVersion chainVersion, TargetId from, TargetId to)
    implements Request {}
