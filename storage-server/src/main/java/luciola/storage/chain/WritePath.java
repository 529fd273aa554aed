package luciola.storage.chain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import org.jspecify.annotations.Nullable;

/** Moves pending versions: to the successor, to their acknowledgement, to their commit. */
final class WritePath {
  private static final int[] NO_CHECKSUMS = {};

  /** For how many of the longest pauses between two forwards a client waits for room. */
  private static final int ROOM_WAIT_RETRIES = 5;

  private final ReplicaState state;
  private final InFlightTags tags;
  private final ReadGate reads;

  WritePath(ReplicaState state, InFlightTags tags, ReadGate reads) {
    this.state = state;
    this.tags = tags;
    this.reads = reads;
  }

  /** Takes a new version: writes it here and sends it on. */
  void add(ActiveChunk chunk, PendingUpdate update, Update what) {
    ChunkVersion base = chunk.newest();
    boolean waits = !chunk.pending.isEmpty() && chunk.pending.getLast().postponed;
    update.postponed = waits;
    update.stageNanos = state.nowNanos;
    chunk.pending.add(update);
    chunk.quietSinceNanos = state.nowNanos;
    tags.staged(chunk, update);
    if (!waits) {
      stage(chunk, base, update, what);
    }
    move(chunk);
  }

  private void stage(ActiveChunk chunk, ChunkVersion base, PendingUpdate update, Update what) {
    state.emit(
        new ChainEffect.Stage(
            chunk.id,
            base,
            update.version,
            state.version(),
            update.tag,
            what,
            update.checksums,
            update.payload));
  }

  /**
   * The disk has no room: this version and those after it are written again when there is some.
   * Those after it may be on their way to the disk without what they build on, so they go too.
   */
  void postpone(ActiveChunk chunk, ChunkVersion from) {
    state.emit(new ChainEffect.Discard(chunk.id, from));
    for (PendingUpdate update : chunk.pending) {
      if (update.version.compareTo(from) >= 0) {
        update.durable = false;
        update.postponed = true;
        update.stageNanos = state.nowNanos + state.limits.retryMaxNanos();
      }
    }
  }

  private void stagePostponed(ActiveChunk chunk) {
    ChunkVersion base = chunk.committed;
    for (PendingUpdate update : chunk.pending) {
      @Nullable Update what = update.update;
      if (update.postponed && what != null) {
        if (state.nowNanos - update.stageNanos < 0 || !state.hasRoomFor(what)) {
          return;
        }
        update.postponed = false;
        stage(chunk, base, update, what);
      }
      base = update.version;
    }
  }

  /** Does whatever can be done now for a chunk. */
  void move(ActiveChunk chunk) {
    send(chunk);
    settle(chunk);
  }

  void localDurable(ChainEvent.LocalDurable notice) {
    ActiveChunk chunk = state.chunks.get(notice.chunk());
    Optional<PendingUpdate> found =
        chunk == null ? Optional.empty() : chunk.pending(notice.version());
    if (chunk == null || found.isEmpty()) {
      return;
    }
    PendingUpdate update = found.get();
    update.isDurable(notice.removed(), notice.chunkBytes(), notice.checksum());
    tags.durable(update);
    chunk.quietSinceNanos = state.nowNanos;
    if (!state.active()) {
      dropPayload(update);
    }
    compare(chunk, update);
    move(chunk);
    state.retire(chunk);
  }

  void answered(long forward, UpdateReply reply) {
    ReplicaState.InFlight inFlight = state.forwards.remove(forward);
    if (inFlight == null) {
      return;
    }
    PendingUpdate update = inFlight.update();
    update.forward = PendingUpdate.NONE;
    if (reply.code() != ErrorCode.OK) {
      state.peerActsBy(reply.chainVersion());
      retryLater(update);
      if (reply.code() == ErrorCode.NO_SPACE) {
        state.successorIsFull();
        answerUpstream(update, ErrorCode.NO_SPACE);
        tellClientOfNoRoom(update);
      }
      return;
    }
    update.acked = true;
    update.successorChecksum = reply.version().equals(update.version) ? reply.checksum() : 0;
    ActiveChunk chunk = inFlight.chunk();
    chunk.quietSinceNanos = state.nowNanos;
    compare(chunk, update);
    if (chunk.pending.stream().allMatch(each -> each.acked)) {
      chunk.faulty = false;
    }
    move(chunk);
    state.retire(chunk);
  }

  /**
   * A client waits for room behind the head for a while only. The update stays: others may hold it,
   * and it is done once there is room, as one whose client gave up waiting.
   */
  private void tellClientOfNoRoom(PendingUpdate update) {
    if (state.nowNanos - update.stageNanos >= ROOM_WAIT_RETRIES * state.limits.retryMaxNanos()) {
      answerClient(update, ErrorCode.NO_SPACE);
    }
  }

  /**
   * True if this replica has to give way: the failure is its own. Bad bytes of one chunk that the
   * only complete replica has do not take all the others from the clients: that chunk's updates
   * wait, until it is mended or written anew.
   */
  boolean failed(long forward, ErrorCode code) {
    ReplicaState.InFlight inFlight = state.forwards.remove(forward);
    if (inFlight == null) {
      return false;
    }
    inFlight.update().forward = PendingUpdate.NONE;
    retryLater(inFlight.update());
    if (code == ErrorCode.CHECKSUM_MISMATCH && state.onlyOneServing()) {
      refuse(inFlight.chunk(), "bad bytes that cannot be forwarded", inFlight.update());
      return false;
    }
    return code == ErrorCode.DISK_ERROR || code == ErrorCode.CHECKSUM_MISMATCH;
  }

  private void retryLater(PendingUpdate update) {
    int doublings = Math.min(update.failures++, 20);
    long wait =
        state.limits.retryFirstNanos() > state.limits.retryMaxNanos() >> doublings
            ? state.limits.retryMaxNanos()
            : state.limits.retryFirstNanos() << doublings;
    update.retryNanos = state.nowNanos + wait;
  }

  /** A version whose content differs at the successor is held back, see invariant SAME_BYTES. */
  private void compare(ActiveChunk chunk, PendingUpdate update) {
    if (!update.durable
        || !update.acked
        || update.successorChecksum == 0
        || update.checksum == 0
        || update.successorChecksum == update.checksum) {
      return;
    }
    update.acked = false;
    update.retryNanos = state.nowNanos + state.limits.retryMaxNanos();
    refuse(chunk, "successor holds other bytes", update);
  }

  /** Says once what is wrong with a chunk, and that nothing waits for its updates. */
  private void refuse(ActiveChunk chunk, String why, PendingUpdate update) {
    if (!chunk.faulty) {
      chunk.faulty = true;
      state.emit(
          new ChainEffect.Alert(
              ErrorCode.CHECKSUM_MISMATCH,
              why + ": " + state.where() + " chunk=" + chunk.id + " version=" + update.version));
    }
    for (PendingUpdate waiting : chunk.pending) {
      answerClient(waiting, ErrorCode.CHECKSUM_MISMATCH);
    }
  }

  /** Sends versions in order, as far as they can be sent. */
  private void send(ActiveChunk chunk) {
    Optional<TargetId> successor = state.successor();
    if (successor.isEmpty()) {
      return;
    }
    boolean syncs = state.syncs(successor.get());
    for (PendingUpdate update : chunk.pending) {
      if (update.acked || update.forward != PendingUpdate.NONE) {
        continue;
      }
      @Nullable Update original = syncs ? null : update.update;
      if (state.nowNanos - update.retryNanos < 0 || (original == null && !update.durable)) {
        return;
      }
      update.forward = state.nextNumber();
      state.forwards.put(update.forward, new ReplicaState.InFlight(chunk, update));
      state.emit(
          new ChainEffect.Forward(
              update.forward,
              successor.get(),
              message(chunk, update, successor.get(), original),
              original == null
                  ? new ChainEffect.Bytes.WholeChunk(update.version)
                  : new ChainEffect.Bytes.Payload(update.payload)));
    }
  }

  private ForwardRequest message(
      ActiveChunk chunk, PendingUpdate update, TargetId to, @Nullable Update original) {
    return new ForwardRequest(
        state.chainId,
        state.version(),
        state.self,
        to,
        chunk.id,
        update.version,
        newer(chunk.committed, chunk.told),
        update.tag,
        original == null ? new Update.Replace(update.chunkBytes, update.removed) : original,
        false,
        state.version(),
        state.collection,
        original == null ? NO_CHECKSUMS : update.checksums);
  }

  private static ChunkVersion newer(ChunkVersion a, ChunkVersion b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  /** Acknowledges, commits and answers versions in order. */
  private void settle(ActiveChunk chunk) {
    if (!state.active()) {
      return;
    }
    boolean last = state.successor().isEmpty();
    boolean head = state.head();
    int committed = 0;
    for (PendingUpdate update : chunk.pending) {
      if (!update.durable || !(last || update.acked)) {
        break;
      }
      dropPayload(update);
      answerUpstream(update, ErrorCode.OK);
      if (head || update.version.compareTo(chunk.told) <= 0) {
        committed++;
      } else {
        break;
      }
    }
    if (!head) {
      acknowledgeRest(chunk, last, committed);
    }
    if (committed > 0) {
      commit(chunk, committed);
    }
  }

  private void acknowledgeRest(ActiveChunk chunk, boolean last, int from) {
    for (PendingUpdate update : chunk.pending.subList(from, chunk.pending.size())) {
      if (!update.durable || !(last || update.acked)) {
        return;
      }
      dropPayload(update);
      answerUpstream(update, ErrorCode.OK);
    }
  }

  private void commit(ActiveChunk chunk, int count) {
    List<PendingUpdate> done = new ArrayList<>(chunk.pending.subList(0, count));
    chunk.pending.subList(0, count).clear();
    chunk.committed = done.getLast().version;
    chunk.committedChainVersion = state.chainVersion();
    chunk.removed = done.getLast().removed;
    state.emit(new ChainEffect.Commit(chunk.id, chunk.committed, state.version()));
    // Without a lease the head acknowledges nothing; the retry finds out that it is done.
    ErrorCode code = state.leased() ? ErrorCode.OK : ErrorCode.NO_LEASE;
    done.forEach(update -> answerClient(update, code));
    reads.committed(chunk);
  }

  /** Bytes are on this disk and need not be sent any more; what comes later goes as whole chunk. */
  private void dropPayload(PendingUpdate update) {
    state.release(update.payload);
    update.payload = ChainEvent.NO_PAYLOAD;
    update.update = null;
    update.checksums = NO_CHECKSUMS;
  }

  void answerClient(PendingUpdate update, ErrorCode code) {
    if (update.clientRequest != PendingUpdate.NONE) {
      state.emit(new ChainEffect.Answer(update.clientRequest, reply(update, code, 0)));
      update.clientRequest = PendingUpdate.NONE;
    }
  }

  void answerUpstream(PendingUpdate update, ErrorCode code) {
    if (update.upstreamRequest != PendingUpdate.NONE) {
      state.emit(
          new ChainEffect.Answer(update.upstreamRequest, reply(update, code, update.checksum)));
      update.upstreamRequest = PendingUpdate.NONE;
    }
  }

  private UpdateReply reply(PendingUpdate update, ErrorCode code, int checksum) {
    return new UpdateReply(code, update.version, update.chunkBytes, checksum, state.chainVersion());
  }

  /** Drops versions from {@code from} on; whoever waits for them is told {@code code}. */
  void discard(ActiveChunk chunk, ChunkVersion from, ErrorCode code) {
    List<PendingUpdate> dropped =
        chunk.pending.stream().filter(update -> update.version.compareTo(from) >= 0).toList();
    if (dropped.isEmpty()) {
      return;
    }
    chunk.pending.removeAll(dropped);
    dropped.forEach(update -> forget(update, code));
    state.emit(new ChainEffect.Discard(chunk.id, from));
  }

  /** Ends everything that hangs on a version but the version on disk. */
  void forget(PendingUpdate update, ErrorCode code) {
    state.forwards.remove(update.forward);
    update.forward = PendingUpdate.NONE;
    tags.durable(update);
    dropPayload(update);
    answerClient(update, code);
    answerUpstream(update, code);
  }

  /** Sends again what was not acknowledged in time. */
  void tick() {
    for (ActiveChunk chunk : state.chunks.values()) {
      stagePostponed(chunk);
      send(chunk);
    }
  }

  /** Everything that is pending starts anew under another chain version. */
  void chainChanged() {
    state.forwards.clear();
    for (ActiveChunk chunk : state.chunks.values()) {
      chunk.faulty = false;
      for (PendingUpdate update : chunk.pending) {
        update.forward = PendingUpdate.NONE;
        update.acked = false;
        update.failures = 0;
        update.retryNanos = state.nowNanos;
        update.inherited = true;
        if (update.durable) {
          dropPayload(update);
        }
      }
    }
  }
}
