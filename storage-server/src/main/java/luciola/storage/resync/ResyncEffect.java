package luciola.storage.resync;

import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/** What a {@link ResyncSource} wants done. */
public sealed interface ResyncEffect {
  /**
   * Send a request to the replica that is being filled.
   *
   * @param copied with a copy: the durable version whose bytes go along, and whose checksums the
   *     shell fills in; empty: no payload
   */
  record Call(long call, Request message, Optional<ChunkVersion> copied) implements ResyncEffect {}

  /** Read a page of this target's own chunks in the order of ids, tombstones included. */
  record ReadInventory(Optional<ChunkId> after, int limit) implements ResyncEffect {}

  /** Read a page of this target's dedup records, ordered by client, then channel. */
  record ReadDedup(Optional<UpdateTag> after, int limit) implements ResyncEffect {}

  /** The replica is complete and knows it. */
  record Done(ResyncProgress progress) implements ResyncEffect {}

  /**
   * It cannot go on: the chain is changing, or this disk cannot be read. Begin again with a new
   * source after a wait, if this target is still the tail and the other still syncs.
   */
  record Failed(ErrorCode code, String message) implements ResyncEffect {}

  /** An operator has to know. */
  record Alert(ErrorCode code, String message) implements ResyncEffect {}
}
