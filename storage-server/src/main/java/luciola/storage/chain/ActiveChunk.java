package luciola.storage.chain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/** A chunk on which something is going on. Others are only in the engine. */
final class ActiveChunk {
  final ChunkId id;
  ChunkVersion committed;
  int committedChainVersion;

  /** Whether the committed version is a removal. */
  boolean removed;

  /** Ascending; versions without gaps at a serving member. */
  final List<PendingUpdate> pending = new ArrayList<>();

  /** Newest version that the head has called committed. */
  ChunkVersion told = ChunkVersion.NONE;

  /**
   * What the head last said when it was asked. Unlike {@link #told} it is no number that only
   * stands before the first version of a chunk.
   */
  ChunkVersion said = ChunkVersion.NONE;

  /**
   * A new head serves nothing older than this: the former head may have committed and served it.
   */
  ChunkVersion resolveUpTo = ChunkVersion.NONE;

  /** A question to the head in flight. */
  long ask = PendingUpdate.NONE;

  final List<WaitingRead> reads = new ArrayList<>();

  /** When something last happened to it. */
  long quietSinceNanos;

  /** Copies that are being written. */
  int installing;

  /** The successor disagreed about the content of a version. */
  boolean faulty;

  ActiveChunk(ChunkId id, ChunkView.ChunkState state, long nowNanos) {
    this.id = id;
    this.committed = state.committed();
    this.committedChainVersion = state.committedChainVersion();
    this.removed = state.removed();
    this.quietSinceNanos = nowNanos;
    ChunkVersion before = committed;
    for (ChunkView.PendingVersion found : state.pending()) {
      // A whole chunk may have come without versions before it, when those were committed.
      if (found.version().compareTo(before.next()) > 0) {
        told = new ChunkVersion(found.version().value() - 1);
      }
      before = found.version();
      pending.add(PendingUpdate.found(found));
    }
  }

  ChunkVersion newest() {
    return pending.isEmpty() ? committed : pending.getLast().version;
  }

  /** Whether nothing is known of it but what is pending. */
  boolean unknown() {
    return committed.equals(ChunkVersion.NONE);
  }

  /** Whether it does not exist in its committed version, and this version is before all pending. */
  boolean isGoneAt(ChunkVersion version) {
    return (removed || unknown())
        && (pending.isEmpty() || pending.getFirst().version.compareTo(version) > 0);
  }

  Optional<PendingUpdate> pending(ChunkVersion version) {
    return pending.stream().filter(update -> update.version.equals(version)).findFirst();
  }

  boolean idle() {
    return pending.isEmpty()
        && reads.isEmpty()
        && ask == PendingUpdate.NONE
        && installing == 0
        && !faulty;
  }

  /** A read that waits until it is known what is committed. */
  static final class WaitingRead {
    final long request;
    final ReadRequest.Range range;
    final long untilNanos;

    /** Whether the question in flight was sent after this read arrived. */
    boolean covered;

    WaitingRead(long request, ReadRequest.Range range, long untilNanos) {
      this.request = request;
      this.range = range;
      this.untilNanos = untilNanos;
    }
  }
}
