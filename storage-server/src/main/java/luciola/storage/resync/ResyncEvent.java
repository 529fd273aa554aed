package luciola.storage.resync;

import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Reply;

/** What happens to a {@link ResyncSource}. */
public sealed interface ResyncEvent {
  /** The replica answered a {@link ResyncEffect.Call}; each call ends in this or a failure. */
  record Answered(long call, Reply reply) implements ResyncEvent {}

  /**
   * A call got no answer.
   *
   * @param code CONNECTION_LOST, TIMED_OUT; CHUNK_NOT_FOUND if the version to copy is no longer
   *     there; DISK_ERROR or CHECKSUM_MISMATCH if it could not be read here
   */
  record CallFailed(long call, ErrorCode code) implements ResyncEvent {}

  /** The page that {@link ResyncEffect.ReadInventory} asked for. */
  record LocalInventory(List<ChunkSummary> chunks, boolean more) implements ResyncEvent {
    public LocalInventory {
      chunks = List.copyOf(chunks);
    }
  }

  /** The page that {@link ResyncEffect.ReadDedup} asked for. */
  record LocalDedup(List<DedupRecord> records, boolean more) implements ResyncEvent {
    public LocalDedup {
      records = List.copyOf(records);
    }
  }

  /** A page could not be read here. */
  record LocalFailed(ErrorCode code) implements ResyncEvent {}

  /**
   * Time passed; also sent once to begin.
   *
   * @param inheritedUnacknowledged {@code ChainReplica.inheritedUnacknowledged} of the source
   */
  record Tick(long inheritedUnacknowledged) implements ResyncEvent {}
}
