package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;

/**
 * Asks a replica for a range of a chunk in one version, for a repair: answered by any member that
 * holds it, in whatever state it is, because whoever asks knows the checksums that the bytes must
 * have. Answered by a {@link ReadReply} with one result; CHUNK_NOT_FOUND or CHUNK_BUSY if that
 * version is not held, or ends before the range does.
 *
 * @param version NONE: the committed one there, whichever it is
 * @param length bytes of the range, 1 or more
 */
public record FetchRequest(
    ChainId chain, TargetId target, ChunkId chunk, ChunkVersion version, int offset, int length)
    implements Request {
  public FetchRequest {
    if (offset < 0 || length < 1 || length > FileLayout.CHUNK_BYTES_MAX - offset) {
      throw new IllegalArgumentException("bad range: offset=" + offset + " length=" + length);
    }
  }
}
