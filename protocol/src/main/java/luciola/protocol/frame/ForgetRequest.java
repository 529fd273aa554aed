package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;

/**
 * The head of a chain tells a member to forget removals that all members have agreed on.
 *
 * @param collection of the {@link CollectRequest} that they agreed on
 * @param removed 1 … {@link CollectRequest#REMOVED_MAX}
 */
public record ForgetRequest(
    ChainId chain,
    ChainVersion chainVersion,
    TargetId from,
    TargetId to,
    int collection,
    List<RemovedChunk> removed)
    implements Request {
  public ForgetRequest {
    removed = List.copyOf(removed);
    CollectRequest.check(collection, removed);
  }
}
