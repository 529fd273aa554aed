package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;

/**
 * Lists the chunks of one file on one chain, as the head knows them, for removal, truncation and
 * measuring of a length after its writer was lost.
 *
 * @param first first chunk index to list
 * @param limit 1 … 65536
 */
public record ChunkListRequest(
    ChainId chain, ChainVersion chainVersion, TargetId target, InodeId inode, int first, int limit)
    implements Request {
  public ChunkListRequest {
    if (first < 0 || limit < 1 || limit > 65536) {
      throw new IllegalArgumentException("bad chunk list: first=" + first + " limit=" + limit);
    }
  }
}
