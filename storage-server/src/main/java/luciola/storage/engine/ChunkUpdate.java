package luciola.storage.engine;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.index.ChunkKey;

/**
 * One update to be staged.
 *
 * @param version the version it makes: the one after the newest held, but any for a Replace
 * @param chainVersion version of the chain under which it is made
 * @param payload the update's bytes; unchanged and alive until the update is durable or has failed
 * @param checksums of the payload's pieces, cut at the granules of the chunk; the caller has
 *     verified that the payload fits them
 * @param tag the client's name for it; empty for what comes from no client
 * @param committed whether the version is committed as soon as it is durable (copies of what is
 *     committed elsewhere)
 */
@SuppressWarnings("ArrayRecordComponent")
public record ChunkUpdate(
    ChunkKey chunk,
    ChunkVersion version,
    int chainVersion,
    Update update,
    MemorySegment payload,
    int[] checksums,
    Optional<UpdateTag> tag,
    boolean committed) {
  public ChunkUpdate {
    if (payload.byteSize() != update.payloadBytes()) {
      throw new IllegalArgumentException(
          "payload does not fit the update: bytes=" + payload.byteSize() + " update=" + update);
    }
  }
}
