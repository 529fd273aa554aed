package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;

/**
 * Asks the head of a chain which versions of some chunks are committed.
 *
 * @param chunks 1 … {@link #CHUNKS_MAX}
 */
public record VersionRequest(
    ChainId chain, ChainVersion chainVersion, TargetId target, List<ChunkId> chunks)
    implements Request {
  public static final int CHUNKS_MAX = 4096;

  public VersionRequest {
    chunks = List.copyOf(chunks);
    if (chunks.isEmpty() || chunks.size() > CHUNKS_MAX) {
      throw new IllegalArgumentException("bad number of chunks: chunks=" + chunks.size());
    }
  }
}
