package luciola.storage.chain;

import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.routing.Chain;

/**
 * What happens to a {@link ChainReplica}.
 *
 * <p>A {@code request} is the shell's handle of something that waits for an answer; the replica
 * answers each exactly once; it is never 0. A {@code payload} is the shell's handle of payload
 * bytes, {@link #NO_PAYLOAD} if there are none; the replica owns one reference to it from the event
 * on and gives it back with one {@link ChainEffect.ReleasePayload}.
 */
public sealed interface ChainEvent {
  /** No payload came with the update. */
  long NO_PAYLOAD = 0;

  /** A client's update arrived; its payload was verified against its checksums. */
  record UpdateArrived(long request, UpdateRequest update, long payload) implements ChainEvent {}

  /** A forward or copy arrived; its payload was verified against its checksums. */
  record ForwardArrived(long request, ForwardRequest forward, long payload) implements ChainEvent {}

  /**
   * A {@link ChainEffect.Stage} is durable (data and metadata, with its dedup record). In the order
   * of the stages of a chunk.
   *
   * @param removed whether the version is a tombstone
   * @param checksum over the granule checksums of the whole version, as in {@code UpdateReply}
   */
  record LocalDurable(
      ChunkId chunk, ChunkVersion version, boolean removed, int chunkBytes, int checksum)
      implements ChainEvent {}

  /**
   * A {@link ChainEffect.Stage} or {@link ChainEffect.Install} was not done and left nothing
   * behind. Later stages of the same chunk, which build on it, fail too.
   *
   * @param code NO_SPACE, DISK_ERROR or CHECKSUM_MISMATCH (the base on disk does not verify)
   */
  record LocalFailed(ChunkId chunk, ChunkVersion version, ErrorCode code) implements ChainEvent {}

  /** A {@link ChainEffect.Install} is durable. */
  record InstallDurable(long request, ChunkId chunk, int chunkBytes, int checksum)
      implements ChainEvent {}

  /** The successor answered {@link ChainEffect.Forward}; each forward ends in this or a failure. */
  record ForwardAnswered(long forward, UpdateReply reply) implements ChainEvent {}

  /**
   * A {@link ChainEffect.Forward} got no answer.
   *
   * @param code CONNECTION_LOST, TIMED_OUT, or DISK_ERROR or CHECKSUM_MISMATCH if the bytes of a
   *     whole chunk could not be read here
   */
  record ForwardFailed(long forward, ErrorCode code) implements ChainEvent {}

  /**
   * One range of a client's read arrived.
   *
   * @param request handle of this range, not of the whole batch
   */
  record ReadArrived(long request, ReadRequest.Range range) implements ChainEvent {}

  /** Several ranges of one client's read arrived together. */
  record ReadsArrived(List<ReadArrived> reads) implements ChainEvent {
    public ReadsArrived {
      reads = List.copyOf(reads);
    }
  }

  /** Another replica asks which versions are committed. */
  record VersionAsked(long request, VersionRequest question) implements ChainEvent {}

  /** The head answered {@link ChainEffect.AskVersion}; each ask ends in this or a failure. */
  record VersionAnswered(long ask, VersionReply reply) implements ChainEvent {}

  /** An {@link ChainEffect.AskVersion} got no answer. */
  record AskFailed(long ask, ErrorCode code) implements ChainEvent {}

  /** A client wants the list of a file's chunks. */
  record ListArrived(long request, ChunkListRequest list) implements ChainEvent {}

  /** The sync source wants to know what this replica holds. */
  record InventoryArrived(long request, InventoryRequest inventory) implements ChainEvent {}

  /** The sync source begins to fill this replica. */
  record SyncStartArrived(long request, SyncStartRequest start) implements ChainEvent {}

  /** The sync source hands over dedup records. */
  record DedupArrived(long request, DedupRequest dedup) implements ChainEvent {}

  /** The sync source says that this replica is complete. */
  record SyncDoneArrived(long request, SyncDoneRequest done) implements ChainEvent {}

  /** The head asks which removals may be forgotten. */
  record CollectArrived(long request, CollectRequest question) implements ChainEvent {}

  /** The head orders to forget removals. */
  record ForgetArrived(long request, ForgetRequest order) implements ChainEvent {}

  /** A member answered {@link ChainEffect.CallMember}; each call ends in this or a failure. */
  record MemberAnswered(long call, CollectReply reply) implements ChainEvent {}

  /** A {@link ChainEffect.CallMember} got no answer. */
  record MemberCallFailed(long call, ErrorCode code) implements ChainEvent {}

  /**
   * What {@link ChainEffect.ListTombstones} found.
   *
   * @param after the last tombstone that was looked at; empty: there are no more
   */
  record TombstonesListed(long number, List<RemovedChunk> removed, Optional<ChunkId> after)
      implements ChainEvent {
    public TombstonesListed {
      removed = List.copyOf(removed);
    }
  }

  /** A {@link ChainEffect.RaiseFloor} is durable. */
  record FloorDurable(long number) implements ChainEvent {}

  /**
   * A {@link ChainEffect.Forget} is durable.
   *
   * @param count how many tombstones it found as they were given
   */
  record Forgotten(long number, int count) implements ChainEvent {}

  /**
   * Newer routing holds this version of the chain. Older or equal versions are ignored. From a
   * heartbeat's reply, this comes before {@link LeaseChanged}.
   */
  record ChainChanged(Chain chain) implements ChainEvent {}

  /**
   * The manager extended the lease.
   *
   * @param untilNanos end of the lease on this server's monotonic clock: the time at which the
   *     answered heartbeat was SENT plus the lease; never moves back
   */
  record LeaseChanged(long untilNanos) implements ChainEvent {}

  /** The disk of this target failed outside of an update (a read, a scrub). */
  record DiskFailed(ErrorCode code) implements ChainEvent {}

  /** Time passed; every {@link ChainLimits#tickNanos} or so. */
  record Tick() implements ChainEvent {}
}
