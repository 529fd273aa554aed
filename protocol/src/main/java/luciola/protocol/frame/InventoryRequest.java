package luciola.protocol.frame;

import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;

/**
 * Lists the chunks of a chain that a replica holds, tombstones included, in order of their ids.
 *
 * @param after list chunks after this one; empty: from the start
 * @param limit 1 … 65536
 */
public record InventoryRequest(
    ChainId chain, ChainVersion chainVersion, TargetId target, Optional<ChunkId> after, int limit)
    implements Request {
  public InventoryRequest {
    if (limit < 1 || limit > 65536) {
      throw new IllegalArgumentException("bad inventory limit: limit=" + limit);
    }
  }
}
