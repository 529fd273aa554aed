package luciola.storage.chain;

import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.routing.PublicState;

/**
 * A replica's side of an update that its predecessor forwards.
 *
 * <pre>
 * version of the forward                               answer
 * committed or older                                   OK, nothing to do
 * pending, same client update                          OK once it is durable here and further down
 * pending, another client update                       ours was never acknowledged: dropped, then as new
 * newest + 1; a whole chunk also if all versions in
 * between are committed at the sender                  staged and sent on
 * any higher one of a chunk that is not known or
 * removed, if its predecessor is committed at the
 * sender                                               staged and sent on
 * newer                                                MISSING_UPDATE
 * of a chunk that is not known, sent before the
 * last collection of tombstones                        CHUNK_BUSY: late, or it comes again
 * the same, but a serving member has no room            NO_SPACE, nothing is held
 * older than newest but not held (see whole chunks)    OK once the newer one is acknowledged
 * </pre>
 *
 * <p>An OK says, too, that the client update's dedup record is kept here: where the version itself
 * did not bring it, it is stored before the answer. That is why a whole chunk may not jump over
 * versions that are still pending: it holds their effects, but not their records.
 */
final class ForwardIntake {
  private final ReplicaState state;
  private final WritePath path;

  ForwardIntake(ReplicaState state, WritePath path) {
    this.state = state;
    this.path = path;
  }

  void arrived(ChainEvent.ForwardArrived event) {
    ForwardRequest forward = event.forward();
    ErrorCode refusal = refusal(forward);
    if (refusal != ErrorCode.OK) {
      answer(event, refusal, 0, 0);
      return;
    }
    ActiveChunk chunk = state.chunk(forward.chunk());
    if (chunk.unknown() && forward.collection() < state.forgot) {
      answer(event, ErrorCode.CHUNK_BUSY, 0, 0);
      state.retire(chunk);
      return;
    }
    if (forward.committed().compareTo(chunk.told) > 0) {
      chunk.told = forward.committed();
    }
    take(event, chunk);
    path.move(chunk);
    state.retire(chunk);
  }

  private ErrorCode refusal(ForwardRequest forward) {
    ErrorCode version = state.compare(forward.chainVersion());
    if (version != ErrorCode.OK || state.chain == null) {
      return version;
    }
    boolean fromPredecessor =
        state.chain.predecessorOf(state.self).filter(forward.from()::equals).isPresent();
    return forward.to().equals(state.self) && fromPredecessor && state.active()
        ? ErrorCode.OK
        : ErrorCode.NOT_SERVING;
  }

  private void take(ChainEvent.ForwardArrived event, ActiveChunk chunk) {
    ForwardRequest forward = event.forward();
    if (forward.version().compareTo(chunk.committed) <= 0) {
      alreadyCommitted(event, chunk);
      return;
    }
    Optional<PendingUpdate> known = chunk.pending(forward.version());
    if (known.isPresent() && known.get().tag.equals(forward.tag())) {
      path.answerUpstream(known.get(), ErrorCode.CHUNK_BUSY);
      known.get().upstreamRequest = event.request();
      state.release(event.payload());
      return;
    }
    known.ifPresent(_ -> path.discard(chunk, forward.version(), ErrorCode.STALE_CHAIN_VERSION));
    boolean jumps = forward.update() instanceof Update.Replace || chunk.isGoneAt(forward.version());
    ChunkVersion without =
        jumps && forward.committed().compareTo(chunk.newest()) > 0
            ? forward.committed()
            : chunk.newest();
    if (forward.version().compareTo(chunk.newest()) < 0) {
      overtaken(event, chunk);
    } else if (forward.version().compareTo(without.next()) <= 0) {
      if (state.publicState() == PublicState.SERVING && !state.hasRoomFor(forward.update())) {
        answer(event, ErrorCode.NO_SPACE, 0, 0);
      } else {
        stage(event, chunk);
      }
    } else {
      answer(event, ErrorCode.MISSING_UPDATE, 0, 0);
    }
  }

  private void alreadyCommitted(ChainEvent.ForwardArrived event, ActiveChunk chunk) {
    if (chunk.installing > 0) {
      answer(event, ErrorCode.CHUNK_BUSY, 0, 0);
      return;
    }
    ChunkView.ChunkState held = state.view.state(chunk.id);
    boolean same = held.committed().equals(event.forward().version());
    answerHeld(event, same ? held.chunkBytes() : 0, same ? held.checksum() : 0);
  }

  /** A newer whole chunk came first. */
  private void overtaken(ChainEvent.ForwardArrived event, ActiveChunk chunk) {
    boolean last = state.successor().isEmpty();
    boolean held =
        chunk.pending.stream()
            .anyMatch(update ->
                update.version.compareTo(event.forward().version()) > 0
                    && update.durable
                    && (last || update.acked));
    if (held) {
      answerHeld(event, 0, 0);
    } else {
      answer(event, ErrorCode.CHUNK_BUSY, 0, 0);
    }
  }

  private void answerHeld(ChainEvent.ForwardArrived event, int chunkBytes, int checksum) {
    ForwardRequest forward = event.forward();
    Optional<UpdateTag> unknown =
        forward
            .tag()
            .filter(tag ->
                state
                    .view
                    .dedup(tag.client(), tag.channel())
                    .filter(record -> record.tag().sequence() >= tag.sequence())
                    .isEmpty());
    if (unknown.isEmpty()) {
      answer(event, ErrorCode.OK, chunkBytes, checksum);
      return;
    }
    state.release(event.payload());
    int bytes = forward.update() instanceof Update.Replace whole ? whole.length() : chunkBytes;
    var record = new DedupRecord(unknown.get(), forward.chunk(), forward.version(), bytes);
    state.emit(
        new ChainEffect.StoreDedup(
            event.request(),
            List.of(record),
            new UpdateReply(
                ErrorCode.OK, forward.version(), chunkBytes, checksum, state.chainVersion())));
  }

  private void stage(ChainEvent.ForwardArrived event, ActiveChunk chunk) {
    ForwardRequest forward = event.forward();
    var update = new PendingUpdate(forward.version(), forward.tag());
    update.update = forward.update();
    update.checksums = forward.checksums();
    update.payload = event.payload();
    update.upstreamRequest = event.request();
    path.add(chunk, update, forward.update());
  }

  private void answer(
      ChainEvent.ForwardArrived event, ErrorCode code, int chunkBytes, int checksum) {
    state.release(event.payload());
    ChunkVersion version = event.forward().version();
    state.emit(
        new ChainEffect.Answer(
            event.request(),
            new UpdateReply(code, version, chunkBytes, checksum, state.chainVersion())));
  }
}
