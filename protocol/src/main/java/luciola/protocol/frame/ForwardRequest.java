package luciola.protocol.frame;

import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;

/**
 * An update on its way down a chain, or a copy to a replica that is being filled.
 *
 * @param from the sending replica
 * @param to the receiving replica
 * @param version the version that the update makes
 * @param tag the client's update; empty for a copy
 * @param committed newest version of this chunk that the sender knows to be committed, {@link
 *     ChunkVersion#NONE} if it knows of none: the receiver commits up to it
 * @param copy whether this comes from resync: the chunk as it is committed at the sender
 * @param committedChainVersion with copy: chain version under which that version was committed
 * @param collection the newest {@link CollectRequest} of this chain version that the sender knew;
 *     0: none
 */
@SuppressWarnings("ArrayRecordComponent")
public record ForwardRequest(
    ChainId chain,
    ChainVersion chainVersion,
    TargetId from,
    TargetId to,
    ChunkId chunk,
    ChunkVersion version,
    ChunkVersion committed,
    Optional<UpdateTag> tag,
    Update update,
    boolean copy,
    ChainVersion committedChainVersion,
    int collection,
    int[] checksums)
    implements Request {}
