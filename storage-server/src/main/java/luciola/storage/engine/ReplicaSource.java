package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.index.ChunkKey;

/** Where the right bytes of a chunk come from when those on this disk went bad. */
@FunctionalInterface
public interface ReplicaSource {
  /** There are no others. */
  ReplicaSource NONE = _ -> List.of();

  /** The other replicas of a chunk, in the order in which to ask them; may be empty. */
  List<Replica> others(ChunkKey chunk);

  /** One of them. What it gives is believed only if it has the checksum that is known here. */
  @FunctionalInterface
  interface Replica {
    /**
     * Reads a range of the chunk. Blocks for a bounded time.
     *
     * @param version which version's bytes; NONE: those of the committed version there, whichever
     *     it is
     * @param into as long as the range, 1 byte or more; filled if the answer is true, else
     *     undefined
     * @return whether it has that range, and good
     * @throws IOException if it cannot be asked now
     */
    boolean read(ChunkKey chunk, ChunkVersion version, int offset, MemorySegment into)
        throws IOException;
  }
}
