package luciola.protocol.frame;

import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;

/**
 * Asks a replica for the whole of a chunk in exactly one version, for a repair: answered by any
 * member that holds it, in whatever state it is, because whoever asks knows the checksums that the
 * bytes must have. Answered by a {@link ReadReply} with one result; CHUNK_NOT_FOUND or CHUNK_BUSY
 * if that version is not held, or has another length.
 *
 * @param length bytes of that version, 1 or more
 */
public record FetchRequest(
    ChainId chain, TargetId target, ChunkId chunk, ChunkVersion version, int length)
    implements Request {
  public FetchRequest {
    if (length < 1 || length > FileLayout.CHUNK_BYTES_MAX) {
      throw new IllegalArgumentException("bad length: length=" + length);
    }
  }
}
