package luciola.storage.chain;

import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;

/** The head's side of a client's update: admits it once and gives it its version. */
final class UpdateIntake {
  private final ReplicaState state;
  private final InFlightTags tags;
  private final WritePath path;

  UpdateIntake(ReplicaState state, InFlightTags tags, WritePath path) {
    this.state = state;
    this.tags = tags;
    this.path = path;
  }

  void arrived(ChainEvent.UpdateArrived event) {
    UpdateRequest request = event.update();
    ErrorCode refusal = refusal(request);
    if (refusal != ErrorCode.OK) {
      refuse(event, refusal);
      return;
    }
    if (seenBefore(event)) {
      return;
    }
    ActiveChunk chunk = state.chunk(request.chunk());
    ErrorCode full = full(chunk, request.update());
    if (full != ErrorCode.OK) {
      refuse(event, full);
      state.retire(chunk);
      return;
    }
    var update = new PendingUpdate(before(chunk).next(), Optional.of(request.tag()));
    update.update = request.update();
    update.checksums = request.checksums();
    update.payload = event.payload();
    update.clientRequest = event.request();
    path.add(chunk, update, request.update());
  }

  /**
   * The version before the next one. Of a chunk that is not known everything up to the floor is
   * done with; others are told so, because they may remember more, or less.
   */
  private ChunkVersion before(ActiveChunk chunk) {
    ChunkVersion newest = chunk.newest();
    if (!newest.equals(ChunkVersion.NONE)) {
      return newest;
    }
    chunk.told = state.view.versionFloor();
    return chunk.told;
  }

  private ErrorCode refusal(UpdateRequest request) {
    ErrorCode version = state.compare(request.chainVersion());
    if (version != ErrorCode.OK) {
      return version;
    }
    if (!request.target().equals(state.self)) {
      return ErrorCode.NOT_HEAD;
    }
    ErrorCode serving = state.serving();
    if (serving != ErrorCode.OK) {
      return serving;
    }
    if (!state.head()) {
      return ErrorCode.NOT_HEAD;
    }
    return request.update() instanceof Update.Replace ? ErrorCode.INVALID_ARGUMENT : ErrorCode.OK;
  }

  private ErrorCode full(ActiveChunk chunk, Update update) {
    if (chunk.faulty) {
      return ErrorCode.CHECKSUM_MISMATCH;
    }
    if (chunk.pending.size() >= state.limits.pendingPerChunkMax()) {
      return ErrorCode.CHUNK_BUSY;
    }
    if (chunk.idle() && state.chunks.size() > state.limits.activeChunksMax()) {
      return ErrorCode.OVERLOADED;
    }
    boolean frees = update instanceof Update.Remove;
    return state.hasRoomFor(update) && (frees || !state.isSuccessorFull())
        ? ErrorCode.OK
        : ErrorCode.NO_SPACE;
  }

  /** Whether the update, or a later one of its channel, is known already; answers if so. */
  private boolean seenBefore(ChainEvent.UpdateArrived event) {
    UpdateTag tag = event.update().tag();
    Optional<InFlightTags.Staged> staged = tags.last(tag);
    if (staged.isPresent() && staged.get().tag().sequence() >= tag.sequence()) {
      if (staged.get().tag().sequence() > tag.sequence()) {
        refuse(event, ErrorCode.DUPLICATE_UPDATE);
      } else {
        await(event, staged.get().update());
      }
      return true;
    }
    Optional<DedupRecord> record = state.view.dedup(tag.client(), tag.channel());
    if (record.isEmpty() || record.get().tag().sequence() < tag.sequence()) {
      return false;
    }
    if (record.get().tag().sequence() > tag.sequence()) {
      refuse(event, ErrorCode.DUPLICATE_UPDATE);
    } else {
      repeat(event, record.get());
    }
    return true;
  }

  private void repeat(ChainEvent.UpdateArrived event, DedupRecord record) {
    ActiveChunk chunk = state.chunk(record.chunk());
    Optional<PendingUpdate> pending = chunk.pending(record.version());
    if (pending.isPresent()) {
      await(event, pending.get());
      path.move(chunk);
    } else {
      ErrorCode code = outcome(chunk, record.version());
      state.release(event.payload());
      state.emit(
          new ChainEffect.Answer(
              event.request(),
              new UpdateReply(
                  code, record.version(), record.chunkBytes(), 0, state.chainVersion())));
    }
    state.retire(chunk);
  }

  /**
   * Of a version that is not pending itself: a newer whole chunk may stand for it, or it is
   * forgotten.
   */
  private ErrorCode outcome(ActiveChunk chunk, ChunkVersion version) {
    boolean collected = chunk.unknown() && version.compareTo(state.view.versionFloor()) <= 0;
    if (version.compareTo(chunk.committed) <= 0 || collected) {
      return ErrorCode.OK;
    }
    return version.compareTo(chunk.newest()) < 0
        ? ErrorCode.CHUNK_BUSY
        : ErrorCode.INVARIANT_BROKEN;
  }

  /** The retry waits for the version instead of the request before it. */
  private void await(ChainEvent.UpdateArrived event, PendingUpdate update) {
    path.answerClient(update, ErrorCode.CHUNK_BUSY);
    update.clientRequest = event.request();
    state.release(event.payload());
  }

  private void refuse(ChainEvent.UpdateArrived event, ErrorCode code) {
    state.release(event.payload());
    state.emit(
        new ChainEffect.Answer(
            event.request(), new UpdateReply(code, ChunkVersion.NONE, 0, 0, state.chainVersion())));
  }
}
