package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.index.ChunkKey;

/** Where the right bytes of a chunk come from when those on this disk went bad. */
@FunctionalInterface
public interface ReplicaSource {
  /** Nobody else has them. */
  ReplicaSource NONE =
      (chunk, version, _) -> {
        throw new IOException("no other replica: chunk=" + chunk + " version=" + version);
      };

  /**
   * Fills {@code into} with the whole chunk in exactly this version, as another replica has it; its
   * checksums are verified by the caller. Blocks for a bounded time.
   *
   * @throws IOException if no replica can give that version now
   */
  void fetch(ChunkKey chunk, ChunkVersion version, MemorySegment into) throws IOException;
}
