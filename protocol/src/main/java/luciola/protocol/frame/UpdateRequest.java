package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;

/**
 * A client's update, sent to the head of a chain. The payload is the bytes of a write.
 *
 * @param checksums of the payload's pieces, cut at the granules of the chunk; empty without payload
 */
@SuppressWarnings("ArrayRecordComponent")
public record UpdateRequest(
    ChainId chain,
    ChainVersion chainVersion,
    TargetId target,
    ChunkId chunk,
    UpdateTag tag,
    Update update,
    int[] checksums)
    implements Request {}
