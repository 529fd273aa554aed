package luciola.storage.chain;

import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.LocalState;

/**
 * What a {@link ChainReplica} wants done. The shell executes (or queues, where it says so) the
 * effects of one step in order before it gives the replica its next event.
 */
public sealed interface ChainEffect {
  /**
   * Write version {@code version} of the chunk: {@code update} applied to {@code base}. Queued; the
   * stages of one chunk are executed in order. Data, metadata and {@code tag}'s dedup record become
   * durable together (the record only if its sequence is higher than that of the channel's present
   * record); then {@link ChainEvent.LocalDurable}, else {@link ChainEvent.LocalFailed}.
   *
   * @param base the newest version before it, staged or durable; {@link ChunkVersion#NONE}: none. A
   *     {@link Update.Replace} does not look at it.
   * @param chainVersion kept with the version
   * @param checksums of the payload's pieces, already verified
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Stage(
      ChunkId chunk,
      ChunkVersion base,
      ChunkVersion version,
      ChainVersion chainVersion,
      Optional<UpdateTag> tag,
      Update update,
      int[] checksums,
      long payload)
      implements ChainEffect {}

  /**
   * Make a copy from resync the whole of what is held of the chunk, as committed: every other
   * version is dropped, whether newer or older. Queued behind stages of the same chunk; then {@link
   * ChainEvent.InstallDurable} or {@link ChainEvent.LocalFailed}.
   *
   * @param version {@link ChunkVersion#NONE}: forget the chunk, tombstone and all
   * @param chainVersion chain version under which the source committed it
   * @param removed whether it is a tombstone
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Install(
      long request,
      ChunkId chunk,
      ChunkVersion version,
      int chainVersion,
      boolean removed,
      int length,
      int[] checksums,
      long payload)
      implements ChainEffect {}

  /**
   * The durable version is committed: older versions may be freed. At once in {@link ChunkView}; on
   * disk whenever it suits (a restart finds it pending again).
   */
  record Commit(ChunkId chunk, ChunkVersion version, ChainVersion chainVersion)
      implements ChainEffect {}

  /**
   * Drop pending versions from {@code from} on, durable or still being staged, and every dedup
   * record of this chunk with such a version. At once in {@link ChunkView}; on disk before anything
   * that is staged later, and before a local state is reported. No notice comes for a stage that
   * was dropped.
   */
  record Discard(ChunkId chunk, ChunkVersion from) implements ChainEffect {}

  /**
   * Send an update down the chain. Ends in {@link ChainEvent.ForwardAnswered} or {@link
   * ChainEvent.ForwardFailed} with the same number; forwards to one target keep their order. The
   * shell keeps its own reference to the payload while it sends.
   */
  record Forward(long forward, TargetId to, ForwardRequest message, Bytes bytes)
      implements ChainEffect {}

  /** Where the payload of a {@link Forward} is. */
  sealed interface Bytes {
    /** With the update, {@link ChainEvent#NO_PAYLOAD} included. */
    record Payload(long payload) implements Bytes {}

    /**
     * The whole chunk as it is in {@code version}, a durable one: the message is a {@code Replace}
     * of the right length whose checksums the shell fills in. The shell pins the version at once.
     */
    record WholeChunk(ChunkVersion version) implements Bytes {}
  }

  /** Answer a request that carries no payload back. */
  record Answer(long request, Reply reply) implements ChainEffect {}

  /**
   * Read the range from {@code version}, which the shell pins at once. {@link ChunkVersion#NONE} or
   * a tombstone: the range's result is CHUNK_NOT_FOUND.
   */
  record ServeRead(long request, ReadRequest.Range range, ChunkVersion version)
      implements ChainEffect {}

  /** The range's result is this error. */
  record RefuseRead(long request, ErrorCode code) implements ChainEffect {}

  /** Answer with the list of chunks; versions that are durable or staged count. */
  record ServeList(long request, ChunkListRequest list) implements ChainEffect {}

  /** Answer with a page of the inventory. */
  record ServeInventory(long request, InventoryRequest inventory) implements ChainEffect {}

  /**
   * Keep those of the records whose sequence is higher than that of the channel's present record;
   * once durable, answer {@code request} with {@code answer}.
   */
  record StoreDedup(long request, List<DedupRecord> records, Reply answer) implements ChainEffect {
    public StoreDedup {
      records = List.copyOf(records);
    }
  }

  /** Ask the head; ends in {@link ChainEvent.VersionAnswered} or {@link ChainEvent.AskFailed}. */
  record AskVersion(long ask, TargetId to, VersionRequest question) implements ChainEffect {}

  /**
   * Look at tombstones of the chain after a chunk, in order, for some that were committed so long
   * ago; ends in {@link ChainEvent.TombstonesListed}. How many are looked at is the shell's to
   * bound.
   *
   * @param keepSeconds of the target's age
   */
  record ListTombstones(long number, Optional<ChunkId> after, int limit, long keepSeconds)
      implements ChainEffect {}

  /**
   * Raise the chain's floor of versions; it never sinks. Once durable, it shows in {@link
   * ChunkView} and {@link ChainEvent.FloorDurable} follows. If that fails, the disk has.
   */
  record RaiseFloor(long number, ChunkVersion floor) implements ChainEffect {}

  /**
   * Forget those of the tombstones, all at or below the floor, that are still as given with nothing
   * pending. At once in {@link ChunkView}; once durable, {@link ChainEvent.Forgotten}.
   */
  record Forget(long number, List<RemovedChunk> removed) implements ChainEffect {
    public Forget {
      removed = List.copyOf(removed);
    }
  }

  /**
   * Ask or order a member in a collection of tombstones; ends in {@link ChainEvent.MemberAnswered}
   * or {@link ChainEvent.MemberCallFailed}.
   *
   * @param message a {@code CollectRequest} or {@code ForgetRequest}
   */
  record CallMember(long call, TargetId to, Request message) implements ChainEffect {}

  /** The replica needs the payload no more. */
  record ReleasePayload(long payload) implements ChainEffect {}

  /** A peer acts by a newer chain version: fetch routing until it is there. */
  record RequestRouting(ChainVersion atLeast) implements ChainEffect {}

  /** The target's local state changed: heartbeat now. */
  record LocalStateChanged(LocalState state) implements ChainEffect {}

  /**
   * An operator has to know: replicas disagree, or the target failed. The replica has already done
   * what can be done.
   */
  record Alert(ErrorCode code, String message) implements ChainEffect {}
}
