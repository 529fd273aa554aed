package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;

/**
 * The head of a chain asks a member which of some removals are committed there with nothing pending
 * after them, and to raise its floor of versions, durably, before it answers.
 *
 * @param collection number of this question in the present chain version, from 1
 * @param floor no version up to this is given to a chunk that is not known
 * @param removed 1 … {@link #REMOVED_MAX}
 */
public record CollectRequest(
    ChainId chain,
    ChainVersion chainVersion,
    TargetId from,
    TargetId to,
    int collection,
    ChunkVersion floor,
    List<RemovedChunk> removed)
    implements Request {
  public static final int REMOVED_MAX = 4096;

  public CollectRequest {
    removed = List.copyOf(removed);
    check(collection, removed);
  }

  static void check(int collection, List<RemovedChunk> removed) {
    if (collection < 1 || removed.isEmpty() || removed.size() > REMOVED_MAX) {
      throw new IllegalArgumentException(
          "bad collection: collection=" + collection + " removed=" + removed.size());
    }
  }
}
