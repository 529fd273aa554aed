package luciola.storage.chain;

import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;

/**
 * One target's place in one chain: replication with apportioned queries (CRAQ: Terrace and
 * Freedman, USENIX 2009), with the head, not the tail, as the authority on what is committed.
 *
 * <p>The write path is all serving members, then all syncing ones. The head gives an update the
 * next version of its chunk; every member writes it and forwards it at the same time. A member
 * acknowledges upstream when its own copy is durable and its successor has acknowledged. The head
 * commits then, and answers the client; the others learn of it from the next forward of that chunk,
 * or by asking the head, when a reader wants to know or when the chunk has been quiet for a moment.
 *
 * <p>Why the head: with forwarding before the own copy is durable, the tail may hold durably, and
 * in CRAQ would serve, a version that members before it lose in an outage of the whole chain. A
 * version is committed when all hold it, and the head is the first to know. It also spares a new
 * serving member any handover: it joins at the end, the authority stays.
 *
 * <pre>
 * version of a chunk at one member
 *   staged     --durable here--------------------&gt; durable
 *   durable    --acknowledged by the successor---&gt; acknowledged (at once without successor)
 *   acknowledged --head: at once; others: told---&gt; committed
 *   any of the first three --sync begins---------&gt; dropped: the others went on without this member
 *   staged     --no room-------------------------&gt; dropped if it never left this member, else it
 *                                                  waits here and is written when there is room
 *   staged     --the write failed----------------&gt; dropped if only old bytes are bad and it never
 *                                                  left this member, else the target fails: OFFLINE
 *                                                  for the rest of this life
 * </pre>
 *
 * Invariants:
 *
 * <ul>
 *   <li>DURABLE_BEFORE_ACKNOWLEDGED: an acknowledgement of a version says that it and all older
 *       ones of the chunk are durable at the sender and at every member after it.
 *   <li>COMMITTED_EVERYWHERE: a committed version is durable at every serving member; so whichever
 *       of those that served last comes back has it.
 *   <li>PREFIX: what a serving member holds pending, the members before it hold too.
 *   <li>ONE_AUTHORITY: reads, updates and questions are served under a lease only; the manager
 *       takes a member out after its lease. A message of another chain version is refused, so that
 *       two heads cannot both complete a write path.
 *   <li>NO_STEP_BACK: a new head serves a chunk only when everything it inherited pending is
 *       committed: the former head may have served it.
 *   <li>ONCE: a client update is known by its tag from its stage to the next of its channel, at
 *       every member that acknowledged it; a version that is dropped takes its dedup record along.
 *   <li>FLOOR_FIRST: no tombstone is forgotten before every member's floor of versions, below which
 *       a chunk that is not known gets no version, is durably at or above it.
 *   <li>SAME_BYTES: an acknowledgement with another checksum is none; it raises an alert and keeps
 *       the chunk from further updates until the chain changes.
 *   <li>FENCED_LIFE: a new life of a target takes part in nothing until the manager has counted the
 *       former one out.
 * </ul>
 *
 * Payload bytes never come here: only handles. One owner thread, monotonic clock.
 */
public final class ChainReplica {
  private final ReplicaState state;
  private final ReadGate reads;
  private final WritePath path;
  private final UpdateIntake updates;
  private final ForwardIntake forwards;
  private final SyncReceiver sync;
  private final Floors floors;
  private final CollectionMember member;
  private final CollectionHead collection;

  /** A replica at the beginning of a life: OFFLINE, without lease, knowing no chain version. */
  public ChainReplica(
      ChainId chain, TargetId self, ChainLimits limits, CollectLimits collect, ChunkView view) {
    this.state = new ReplicaState(chain, self, limits, view);
    var tags = new InFlightTags();
    this.reads = new ReadGate(state);
    this.path = new WritePath(state, tags, reads);
    this.updates = new UpdateIntake(state, tags, path);
    this.forwards = new ForwardIntake(state, path);
    this.floors = new Floors(state);
    this.sync = new SyncReceiver(state, path, floors);
    this.member = new CollectionMember(state, floors);
    this.collection = new CollectionHead(state, collect, floors, member);
  }

  /** What follows from an event. One thread calls this, with a clock that never goes back. */
  public List<ChainEffect> step(ChainEvent event, long nowNanos) {
    state.nowNanos = nowNanos;
    switch (event) {
      case ChainEvent.UpdateArrived update -> updates.arrived(update);
      case ChainEvent.ForwardArrived forward -> forwardArrived(forward);
      case ChainEvent.LocalDurable durable -> path.localDurable(durable);
      case ChainEvent.LocalFailed failed -> localFailed(failed);
      case ChainEvent.InstallDurable durable -> sync.installed(durable);
      case ChainEvent.ForwardAnswered answered ->
          path.answered(answered.forward(), answered.reply());
      case ChainEvent.ForwardFailed failed -> forwardFailed(failed);
      case ChainEvent.ReadArrived read -> reads.arrived(read);
      case ChainEvent.ReadsArrived(List<ChainEvent.ReadArrived> batch) ->
          batch.forEach(reads::arrived);
      case ChainEvent.VersionAsked asked -> reads.asked(asked);
      case ChainEvent.VersionAnswered answered -> versionAnswered(answered);
      case ChainEvent.AskFailed failed -> reads.askFailed(failed.ask());
      case ChainEvent.ListArrived list -> listArrived(list);
      case ChainEvent.InventoryArrived inventory -> sync.inventory(inventory);
      case ChainEvent.SyncStartArrived start -> sync.start(start);
      case ChainEvent.DedupArrived dedup -> sync.dedup(dedup);
      case ChainEvent.SyncDoneArrived done -> sync.done(done);
      case ChainEvent.CollectArrived question -> member.asked(question);
      case ChainEvent.ForgetArrived order -> member.ordered(order);
      case ChainEvent.MemberAnswered answered -> collection.answered(answered);
      case ChainEvent.MemberCallFailed failed -> collection.callFailed(failed.call());
      case ChainEvent.TombstonesListed listed -> collection.listed(listed);
      case ChainEvent.FloorDurable durable -> floors.durable(durable.number());
      case ChainEvent.Forgotten forgotten -> {
        member.done(forgotten);
        collection.forgotten(forgotten);
      }
      case ChainEvent.ChainChanged(Chain chain) -> chainChanged(chain);
      case ChainEvent.LeaseChanged(long untilNanos) -> state.extendLease(untilNanos);
      case ChainEvent.DiskFailed(ErrorCode code) -> fail(code, "disk");
      case ChainEvent.Tick() -> tick();
    }
    reads.sendQuestions();
    return state.takeEffects();
  }

  /** What other threads may serve now without an event, see {@link ReadPermit}. */
  public ReadPermit permit() {
    return state.permit();
  }

  /** What to report of this target in heartbeats. */
  public LocalState localState() {
    return state.local.state();
  }

  /** The chain version this replica acts by; 0 if it knows none. To be reported in heartbeats. */
  public int chainVersion() {
    return state.chainVersion();
  }

  /** Whether reads would be served at this time. */
  public boolean serving(long nowNanos) {
    state.nowNanos = nowNanos;
    return state.serving() == ErrorCode.OK;
  }

  /**
   * Versions that were pending when the present chain version came and that the members after this
   * one have not acknowledged yet: a syncing member is not complete before there are none.
   */
  public long inheritedUnacknowledged() {
    return state.chunks.values().stream()
        .flatMap(chunk -> chunk.pending.stream())
        .filter(update -> update.inherited && !update.acked)
        .count();
  }

  /** Tombstones that this replica forgot in this life. */
  public long tombstonesForgotten() {
    return member.forgotten();
  }

  /** Collections of tombstones that this replica, as head, did not bring to their end. */
  public long collectionsAbandoned() {
    return collection.abandoned();
  }

  /** What this replica holds and does beside the engine, for traces. */
  @Override
  public String toString() {
    var text = new StringBuilder(state.where());
    text.append(' ').append(state.publicState()).append('/').append(state.local.state());
    for (ActiveChunk chunk : state.chunks.values()) {
      text.append(" [").append(chunk.id).append(" committed=").append(chunk.committed);
      text.append(" told=").append(chunk.told).append(" pending=").append(chunk.pending);
      text.append(" reads=").append(chunk.reads.size()).append(" ask=").append(chunk.ask);
      text.append(']');
    }
    return text.toString();
  }

  private void forwardArrived(ChainEvent.ForwardArrived event) {
    if (event.forward().copy()) {
      sync.copy(event);
    } else {
      forwards.arrived(event);
    }
  }

  private void forwardFailed(ChainEvent.ForwardFailed event) {
    if (path.failed(event.forward(), event.code())) {
      fail(event.code(), "reading a chunk to forward it");
    }
  }

  private void versionAnswered(ChainEvent.VersionAnswered event) {
    for (ActiveChunk chunk : reads.answered(event.ask(), event.reply())) {
      path.move(chunk);
      reads.serveCovered(chunk);
      state.retire(chunk);
    }
  }

  private void listArrived(ChainEvent.ListArrived event) {
    ErrorCode code = state.compare(event.list().chainVersion());
    if (code == ErrorCode.OK) {
      code = event.list().target().equals(state.self) ? state.serving() : ErrorCode.NOT_HEAD;
    }
    if (code == ErrorCode.OK && !state.head()) {
      code = ErrorCode.NOT_HEAD;
    }
    state.emit(
        code == ErrorCode.OK
            ? new ChainEffect.ServeList(event.request(), event.list())
            : new ChainEffect.Answer(event.request(), new ChunkListReply(code, List.of(), false)));
  }

  /**
   * A write that never left this member fails alone, for want of room or of good old bytes. One
   * that others may hold waits for room, unless this member is being filled: then the others go on
   * without it. Every other failure takes the target along.
   */
  private void localFailed(ChainEvent.LocalFailed event) {
    if (state.local.failed()) {
      return;
    }
    ActiveChunk chunk = state.chunk(event.chunk());
    boolean alone =
        state.head()
            && (event.code() == ErrorCode.NO_SPACE || event.code() == ErrorCode.CHECKSUM_MISMATCH)
            && chunk.pending(event.version()).isPresent()
            && chunk.pending.stream()
                .filter(update -> update.version.compareTo(event.version()) >= 0)
                .noneMatch(update ->
                    update.acked || update.forward != PendingUpdate.NONE || update.failures > 0);
    if (!alone && waitsForRoom(event, chunk)) {
      path.postpone(chunk, event.version());
      return;
    }
    if (!alone) {
      fail(event.code(), "write of chunk=" + event.chunk() + " version=" + event.version());
      return;
    }
    chunk.pending(event.version()).ifPresent(update -> path.answerClient(update, event.code()));
    path.discard(chunk, event.version(), ErrorCode.CHUNK_BUSY);
    state.retire(chunk);
  }

  private boolean waitsForRoom(ChainEvent.LocalFailed event, ActiveChunk chunk) {
    return event.code() == ErrorCode.NO_SPACE
        && state.publicState() == PublicState.SERVING
        && chunk.pending(event.version()).isPresent();
  }

  /** The target is of no use any more: others go on without it. */
  private void fail(ErrorCode code, String what) {
    if (state.local.failed()) {
      return;
    }
    state.local.fail();
    state.emit(new ChainEffect.LocalStateChanged(state.local.state()));
    state.emit(new ChainEffect.Alert(code, "target failed: " + state.where() + " " + what));
    sync.abandon(ErrorCode.NOT_SERVING);
    collection.abandon();
    floors.abandon(ErrorCode.NOT_SERVING);
    member.abandon(ErrorCode.NOT_SERVING);
    for (ActiveChunk chunk : state.chunks.values()) {
      chunk.pending.forEach(update -> path.forget(update, ErrorCode.NOT_SERVING));
    }
    reads.chainChanged();
    state.chunks.clear();
  }

  private void chainChanged(Chain next) {
    if (!next.id().equals(state.chainId)) {
      throw new IllegalArgumentException("another chain: " + state.where() + " got=" + next.id());
    }
    if (next.version().value() <= state.chainVersion()) {
      return;
    }
    boolean wasHead = state.head();
    collection.abandon();
    boolean synced = state.publicState() == PublicState.SYNCING;
    boolean nextOne = next.version().value() == state.chainVersion() + 1;
    LocalState localBefore = state.local.state();
    state.enter(next);
    state.local.chainChanged(state.publicState(), nextOne);
    if (nextOne
        && next.version().value() == 1
        && state.publicState() == PublicState.SERVING
        && state.view.empty()) {
      state.local.newChain();
    }
    if (state.local.failed()) {
      return;
    }
    if (state.local.state() != localBefore) {
      state.emit(new ChainEffect.LocalStateChanged(state.local.state()));
    }
    state.view.chunksWithPending().forEach(this::load);
    path.chainChanged();
    if (state.publicState() == PublicState.SYNCING && state.active() && !(synced && nextOne)) {
      state.chunks.values().forEach(this::dropPending);
    }
    if (state.head() && !wasHead) {
      state.chunks.values().forEach(chunk -> chunk.resolveUpTo = chunk.newest());
    }
    dismissWaiting();
    reads.chainChanged();
    List.copyOf(state.chunks.values()).forEach(path::move);
    state.retireAll();
  }

  private void load(ChunkId id) {
    var _ = state.chunk(id);
  }

  private void dropPending(ActiveChunk chunk) {
    if (!chunk.pending.isEmpty()) {
      path.discard(chunk, chunk.committed.next(), ErrorCode.STALE_CHAIN_VERSION);
    }
  }

  /**
   * Clients wait for the head only. An acknowledgement speaks of the chain version of its forward:
   * a member that was after this one may be before it now, so the forward has to come again.
   */
  private void dismissWaiting() {
    for (ActiveChunk chunk : state.chunks.values()) {
      for (PendingUpdate update : chunk.pending) {
        if (!state.head()) {
          path.answerClient(update, ErrorCode.STALE_CHAIN_VERSION);
        }
        path.answerUpstream(update, ErrorCode.STALE_CHAIN_VERSION);
      }
    }
  }

  private void tick() {
    path.tick();
    reads.tick();
    collection.tick();
    state.retireAll();
  }
}
