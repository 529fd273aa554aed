package luciola.storage.chain;

import java.util.List;
import java.util.Optional;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;

/**
 * What the engine of one target holds durably, as versions only. Answered from the engine's
 * metadata without waiting for data I/O, on the thread that runs {@link ChainReplica}.
 *
 * <p>A stage shows here from the moment its durable-notice is handed to the replica, not before. A
 * commit, a discard and stored dedup records show as soon as their effect was executed.
 */
public interface ChunkView {
  /** What is held of one chunk; {@link ChunkState#MISSING} if nothing. */
  ChunkState state(ChunkId chunk);

  /** The dedup record of one channel of one client. */
  Optional<DedupRecord> dedup(ClientId client, int channel);

  /** All chunks with pending versions: asked when the replica is made and when a sync begins. */
  List<ChunkId> chunksWithPending();

  /**
   * The chain's floor of versions, durably: no version up to this is given to a chunk that is not
   * known; {@link ChunkVersion#NONE}: any may be.
   */
  ChunkVersion versionFloor();

  /** Chunks whose committed version is a removal. */
  long tombstones();

  /** Whether nothing was ever stored for this chain: neither chunk nor tombstone nor record. */
  boolean empty();

  /** Whether the target takes another update of this size: false before the disk is full. */
  boolean hasRoomFor(long bytes);

  /**
   * One chunk.
   *
   * @param committed {@link ChunkVersion#NONE} if there is no committed version
   * @param committedChainVersion chain version by which it was committed; 0 with NONE
   * @param pending versions after the committed one, ascending
   */
  record ChunkState(
      ChunkVersion committed,
      int committedChainVersion,
      boolean removed,
      int chunkBytes,
      int checksum,
      List<PendingVersion> pending) {
    /** Nothing is held. */
    public static final ChunkState MISSING =
        new ChunkState(ChunkVersion.NONE, 0, false, 0, 0, List.of());

    public ChunkState {
      pending = List.copyOf(pending);
      ChunkVersion last = committed;
      for (PendingVersion version : pending) {
        if (version.version().compareTo(last) <= 0) {
          throw new IllegalArgumentException(
              "pending versions out of order: committed=" + committed + " pending=" + pending);
        }
        last = version.version();
      }
    }

    /** Whether nothing is known of the chunk. */
    public boolean isMissing() {
      return committed.equals(ChunkVersion.NONE) && pending.isEmpty();
    }

    /** The newest version held, durable or committed. */
    public ChunkVersion newest() {
      return pending.isEmpty() ? committed : pending.getLast().version();
    }
  }

  /**
   * A durable version that is not committed yet.
   *
   * @param tag the client's update that made it; empty for a copy
   * @param removed whether it is a tombstone
   * @param checksum over the granule checksums, as in {@code UpdateReply}
   */
  record PendingVersion(
      ChunkVersion version,
      Optional<UpdateTag> tag,
      boolean removed,
      int chunkBytes,
      int checksum) {}
}
