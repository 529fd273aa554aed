package luciola.storage.chain;

import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.storage.chain.ActiveChunk.WaitingRead;

/**
 * Decides which version a read sees.
 *
 * <pre>
 * replica     the chunk here                        the read sees
 * not serving, or no lease                          refused
 * any         nothing pending                       the committed version
 * head        pending                               the committed version
 * head        pending since before it was head      waits for their commit
 * other       pending                               what the head, asked after the read arrived,
 *                                                   calls committed, or newer if that is committed here
 * </pre>
 *
 * A read takes effect when the head looks (or when it arrives, if nobody has to be asked): at that
 * time the version it sees was the newest committed one (CRAQ, section 2.3, with the head in the
 * place of the tail).
 */
final class ReadGate {
  private final ReplicaState state;
  private int waiting;
  private int background;

  ReadGate(ReplicaState state) {
    this.state = state;
  }

  void arrived(ChainEvent.ReadArrived event) {
    if (event.range().chainVersion().value() > state.chainVersion()) {
      state.emit(new ChainEffect.RequestRouting(event.range().chainVersion()));
    }
    ErrorCode code =
        event.range().target().equals(state.self) ? state.serving() : ErrorCode.NOT_SERVING;
    if (code != ErrorCode.OK) {
      state.emit(new ChainEffect.RefuseRead(event.request(), code));
      return;
    }
    ActiveChunk chunk = state.chunk(event.range().chunk());
    if (chunk.pending.isEmpty() || (state.head() && resolved(chunk))) {
      state.emit(new ChainEffect.ServeRead(event.request(), event.range(), chunk.committed));
    } else if (waiting >= state.limits.waitingReadsMax()) {
      state.emit(new ChainEffect.RefuseRead(event.request(), ErrorCode.OVERLOADED));
    } else {
      waiting++;
      chunk.reads.add(
          new WaitingRead(
              event.request(), event.range(), state.nowNanos + state.limits.readWaitNanos()));
      ask(chunk);
    }
    state.retire(chunk);
  }

  private static boolean resolved(ActiveChunk chunk) {
    return chunk.committed.compareTo(chunk.resolveUpTo) >= 0;
  }

  /** Another replica, or a reader through it, wants to know what is committed. */
  void asked(ChainEvent.VersionAsked event) {
    VersionRequest question = event.question();
    ErrorCode code = state.compare(question.chainVersion());
    if (code == ErrorCode.OK) {
      code = question.target().equals(state.self) ? state.serving() : ErrorCode.NOT_HEAD;
    }
    if (code == ErrorCode.OK && !state.head()) {
      code = ErrorCode.NOT_HEAD;
    }
    ChunkVersion committed = ChunkVersion.NONE;
    if (code == ErrorCode.OK) {
      ActiveChunk chunk = state.chunk(question.chunk());
      committed = chunk.committed;
      code = resolved(chunk) ? ErrorCode.OK : ErrorCode.CHUNK_BUSY;
      state.retire(chunk);
    }
    state.emit(
        new ChainEffect.Answer(
            event.request(), new VersionReply(code, committed, state.chainVersion())));
  }

  /** Asks the head on behalf of the reads that wait, unless a question is in flight. */
  private void ask(ActiveChunk chunk) {
    Optional<TargetId> head = state.chain == null ? Optional.empty() : state.chain.head();
    if (chunk.ask != PendingUpdate.NONE || head.isEmpty() || head.get().equals(state.self)) {
      return;
    }
    chunk.ask = state.nextNumber();
    chunk.reads.forEach(read -> read.covered = true);
    state.asks.put(chunk.ask, chunk.id);
    state.emit(
        new ChainEffect.AskVersion(
            chunk.ask,
            head.get(),
            new VersionRequest(state.chainId, state.version(), head.get(), chunk.id)));
  }

  /**
   * The head's answer.
   *
   * @return the chunk, if the answer is one to act upon
   */
  Optional<ActiveChunk> answered(long ask, VersionReply reply) {
    Optional<ActiveChunk> asked = end(ask);
    if (asked.isEmpty()) {
      return asked;
    }
    ActiveChunk chunk = asked.get();
    chunk.quietSinceNanos = state.nowNanos;
    if (reply.code() != ErrorCode.OK || reply.chainVersion() != state.chainVersion()) {
      state.peerActsBy(reply.chainVersion());
      chunk.reads.forEach(read -> read.covered = false);
      return Optional.empty();
    }
    if (reply.committed().compareTo(chunk.told) > 0) {
      chunk.told = reply.committed();
    }
    return asked;
  }

  /** No answer: the next tick asks again. */
  void askFailed(long ask) {
    end(ask)
        .ifPresent(chunk -> {
          chunk.quietSinceNanos = state.nowNanos;
          chunk.reads.forEach(read -> read.covered = false);
        });
  }

  private Optional<ActiveChunk> end(long ask) {
    ChunkId id = state.asks.remove(ask);
    ActiveChunk chunk = id == null ? null : state.chunks.get(id);
    if (chunk == null || chunk.ask != ask) {
      return Optional.empty();
    }
    chunk.ask = PendingUpdate.NONE;
    return Optional.of(chunk);
  }

  /** Serves the reads that the answer covers; those that came after the question ask again. */
  void serveCovered(ActiveChunk chunk) {
    ErrorCode code = state.serving();
    ChunkVersion newest = chunk.told.compareTo(chunk.committed) > 0 ? chunk.told : chunk.committed;
    boolean held =
        newest.equals(chunk.committed)
            || chunk.pending(newest).filter(update -> update.durable).isPresent();
    if (code == ErrorCode.OK && !held) {
      code = ErrorCode.CHUNK_BUSY;
    }
    for (WaitingRead read : List.copyOf(chunk.reads)) {
      if (read.covered) {
        end(chunk, read, code, newest);
      }
    }
    if (chunk.reads.isEmpty()) {
      return;
    }
    if (chunk.pending.isEmpty()) {
      committed(chunk);
    } else {
      ask(chunk);
    }
  }

  private void end(ActiveChunk chunk, WaitingRead read, ErrorCode code, ChunkVersion version) {
    chunk.reads.remove(read);
    waiting--;
    state.emit(
        code == ErrorCode.OK
            ? new ChainEffect.ServeRead(read.request, read.range, version)
            : new ChainEffect.RefuseRead(read.request, code));
  }

  /** A version was committed: reads that waited for no more than that go on. */
  void committed(ActiveChunk chunk) {
    if (chunk.reads.isEmpty() || !(chunk.pending.isEmpty() || (state.head() && resolved(chunk)))) {
      return;
    }
    ErrorCode code = state.serving();
    for (WaitingRead read : List.copyOf(chunk.reads)) {
      end(chunk, read, code, chunk.committed);
    }
  }

  /** Waits that are over; questions that nobody waits for, about chunks that went quiet. */
  void tick() {
    background = (int) state.asks.values().stream().filter(this::nobodyWaits).count();
    for (ActiveChunk chunk : List.copyOf(state.chunks.values())) {
      for (WaitingRead read : List.copyOf(chunk.reads)) {
        if (state.nowNanos - read.untilNanos >= 0) {
          end(chunk, read, ErrorCode.CHUNK_BUSY, ChunkVersion.NONE);
        }
      }
      if (!chunk.reads.isEmpty()) {
        ask(chunk);
      } else if (quiet(chunk) && background < state.limits.asksMax()) {
        background++;
        ask(chunk);
      }
    }
  }

  private boolean nobodyWaits(ChunkId id) {
    ActiveChunk chunk = state.chunks.get(id);
    return chunk != null && chunk.reads.isEmpty();
  }

  /** Whether all that is left to do for the chunk is to learn that it is committed. */
  private boolean quiet(ActiveChunk chunk) {
    if (chunk.pending.isEmpty()
        || !state.active()
        || state.nowNanos - chunk.quietSinceNanos < state.limits.askAfterNanos()) {
      return false;
    }
    PendingUpdate oldest = chunk.pending.getFirst();
    return oldest.durable && (oldest.acked || state.successor().isEmpty());
  }

  /** Questions to a former head are void; reads go on by the new chain or are refused. */
  void chainChanged() {
    state.asks.clear();
    ErrorCode code = state.serving();
    for (ActiveChunk chunk : state.chunks.values()) {
      chunk.ask = PendingUpdate.NONE;
      for (WaitingRead read : List.copyOf(chunk.reads)) {
        read.covered = false;
        if (code != ErrorCode.OK) {
          end(chunk, read, code, ChunkVersion.NONE);
        }
      }
      if (!chunk.reads.isEmpty()) {
        ask(chunk);
      }
    }
  }
}
