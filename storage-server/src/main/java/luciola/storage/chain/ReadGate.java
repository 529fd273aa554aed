package luciola.storage.chain;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
 * The second line alone may also be applied by other threads, see {@link ReadPermit}.
 *
 * <p>A read takes effect when the head looks (or when it arrives, if nobody has to be asked): at
 * that time the version it sees was the newest committed one (CRAQ, section 2.3, with the head in
 * the place of the tail).
 */
final class ReadGate {
  private final ReplicaState state;
  private final Set<ActiveChunk> wanted = new LinkedHashSet<>();
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
    List<VersionReply.Answer> answers =
        code == ErrorCode.OK
            ? question.chunks().stream().map(this::committedOf).toList()
            : List.of();
    state.emit(
        new ChainEffect.Answer(
            event.request(), new VersionReply(code, state.chainVersion(), answers)));
  }

  private VersionReply.Answer committedOf(ChunkId id) {
    ActiveChunk chunk = state.chunk(id);
    state.retire(chunk);
    return new VersionReply.Answer(
        resolved(chunk) ? ErrorCode.OK : ErrorCode.CHUNK_BUSY, done(chunk));
  }

  /**
   * The newest version that is done with: of a chunk that is not known that is the floor, but while
   * something is pending the floor may have been raised above that.
   */
  private ChunkVersion done(ActiveChunk chunk) {
    if (!chunk.unknown()) {
      return chunk.committed;
    }
    return chunk.pending.isEmpty() ? state.view.versionFloor() : chunk.told;
  }

  /** Will ask the head at the end of this step, unless a question is in flight. */
  private void ask(ActiveChunk chunk) {
    if (chunk.ask == PendingUpdate.NONE) {
      wanted.add(chunk);
    }
  }

  /** Asks the head about all chunks that this step wants to know about, many in one message. */
  void sendQuestions() {
    if (wanted.isEmpty()) {
      return;
    }
    List<ActiveChunk> chunks =
        wanted.stream()
            .filter(chunk -> chunk.ask == PendingUpdate.NONE && state.chunks.get(chunk.id) == chunk)
            .toList();
    wanted.clear();
    Optional<TargetId> head = state.headTarget();
    if (head.isEmpty() || head.get().equals(state.self)) {
      return;
    }
    for (int at = 0; at < chunks.size(); at += VersionRequest.CHUNKS_MAX) {
      send(head.get(), chunks.subList(at, Math.min(chunks.size(), at + VersionRequest.CHUNKS_MAX)));
    }
  }

  private void send(TargetId head, List<ActiveChunk> chunks) {
    long ask = state.nextNumber();
    for (ActiveChunk chunk : chunks) {
      chunk.ask = ask;
      chunk.reads.forEach(read -> read.covered = true);
    }
    List<ChunkId> ids = chunks.stream().map(chunk -> chunk.id).toList();
    state.asks.put(ask, ids);
    state.emit(
        new ChainEffect.AskVersion(
            ask, head, new VersionRequest(state.chainId, state.version(), head, ids)));
  }

  /**
   * The head's answer.
   *
   * @return the chunks of which it said something to act upon
   */
  List<ActiveChunk> answered(long ask, VersionReply reply) {
    List<ChunkId> ids = state.asks.remove(ask);
    if (ids == null) {
      return List.of();
    }
    boolean usable =
        reply.code() == ErrorCode.OK
            && reply.chainVersion() == state.chainVersion()
            && reply.answers().size() == ids.size();
    if (!usable) {
      state.peerActsBy(reply.chainVersion());
    }
    var told = new ArrayList<ActiveChunk>();
    for (int i = 0; i < ids.size(); i++) {
      Optional<ActiveChunk> asked = end(ask, ids.get(i));
      if (asked.isPresent() && usable && reply.answers().get(i).code() == ErrorCode.OK) {
        asked.get().said = reply.answers().get(i).committed();
        tell(asked.get(), asked.get().said);
        told.add(asked.get());
      } else {
        asked.ifPresent(chunk -> chunk.reads.forEach(read -> read.covered = false));
      }
    }
    return told;
  }

  private static void tell(ActiveChunk chunk, ChunkVersion committed) {
    if (committed.compareTo(chunk.told) > 0) {
      chunk.told = committed;
    }
  }

  /** No answer: the next tick asks again. */
  void askFailed(long ask) {
    List<ChunkId> ids = state.asks.remove(ask);
    if (ids != null) {
      ids.forEach(
          id -> end(ask, id).ifPresent(chunk -> chunk.reads.forEach(read -> read.covered = false)));
    }
  }

  private Optional<ActiveChunk> end(long ask, ChunkId id) {
    ActiveChunk chunk = state.chunks.get(id);
    if (chunk == null || chunk.ask != ask) {
      return Optional.empty();
    }
    chunk.ask = PendingUpdate.NONE;
    chunk.quietSinceNanos = state.nowNanos;
    return Optional.of(chunk);
  }

  /** Serves the reads that the answer covers; those that came after the question ask again. */
  void serveCovered(ActiveChunk chunk) {
    ErrorCode code = state.serving();
    ChunkVersion newest = chunk.said.compareTo(chunk.committed) > 0 ? chunk.said : chunk.committed;
    if (chunk.pending.isEmpty() && (chunk.removed || chunk.unknown())) {
      // What is committed is held here; so the head named the floor, having forgotten the removal.
      // With something pending it may as well have named a version that a whole chunk has jumped.
      newest = chunk.committed;
    }
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
    background =
        (int) state.asks.values().stream().flatMap(List::stream).filter(this::nobodyWaits).count();
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
    wanted.clear();
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
