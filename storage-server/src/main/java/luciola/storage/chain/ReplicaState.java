package luciola.storage.chain;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import org.jspecify.annotations.Nullable;

/** What the parts of a replica share: its place in the chain, its active chunks, its effects. */
final class ReplicaState {
  final ChainId chainId;
  final TargetId self;
  final ChainLimits limits;
  final ChunkView view;
  final TargetLocalState local = new TargetLocalState();
  final Map<ChunkId, ActiveChunk> chunks = new LinkedHashMap<>();

  /** Forwards in flight, by number. */
  final Map<Long, InFlight> forwards = new LinkedHashMap<>();

  /** Questions to the head in flight, by number. */
  final Map<Long, List<ChunkId>> asks = new LinkedHashMap<>();

  /** The newest question of a collection known in this chain version; forwards carry it. */
  int collection;

  /** The newest collection in this chain version whose order to forget was executed here. */
  int forgot;

  @Nullable Chain chain;
  long nowNanos;

  // Of the present chain version, looked up once.
  private PublicState publicState = PublicState.OFFLINE;
  private Optional<TargetId> headTarget = Optional.empty();
  private Optional<TargetId> successorTarget = Optional.empty();
  private ReadPermit permit = ReadPermit.NONE;

  private boolean leased;
  private long leaseUntilNanos;
  private boolean full;
  private long fullUntilNanos;
  private long lastNumber;
  private List<ChainEffect> effects = new ArrayList<>();

  /** What a forward carries. */
  record InFlight(ActiveChunk chunk, PendingUpdate update) {}

  ReplicaState(ChainId chainId, TargetId self, ChainLimits limits, ChunkView view) {
    this.chainId = chainId;
    this.self = self;
    this.limits = limits;
    this.view = view;
  }

  void emit(ChainEffect effect) {
    effects.add(effect);
  }

  List<ChainEffect> takeEffects() {
    List<ChainEffect> taken = effects;
    effects = new ArrayList<>();
    return taken;
  }

  long nextNumber() {
    return ++lastNumber;
  }

  void extendLease(long untilNanos) {
    if (!leased || untilNanos - leaseUntilNanos > 0) {
      leased = true;
      leaseUntilNanos = untilNanos;
    }
  }

  boolean leased() {
    return leased && nowNanos - leaseUntilNanos < 0;
  }

  int chainVersion() {
    return chain == null ? 0 : chain.version().value();
  }

  /** The present chain version; only where a chain is known. */
  ChainVersion version() {
    return new ChainVersion(chainVersion());
  }

  /** A newer version of the chain. */
  void enter(Chain next) {
    chain = next;
    full = false;
    collection = 0;
    forgot = 0;
    publicState = next.stateOf(self).orElse(PublicState.OFFLINE);
    headTarget = next.head();
    successorTarget = next.successorOf(self);
  }

  PublicState publicState() {
    return publicState;
  }

  /** The head by the present chain version. */
  Optional<TargetId> headTarget() {
    return headTarget;
  }

  /** What others may serve without asking. */
  ReadPermit permit() {
    boolean serves = publicState == PublicState.SERVING && active() && leased;
    if (permit.serves() != serves
        || permit.chainVersion() != chainVersion()
        || permit.leaseUntilNanos() != leaseUntilNanos) {
      permit = new ReadPermit(chainVersion(), serves, leaseUntilNanos);
    }
    return permit;
  }

  /** Whether the replica takes part in the write path as this life of it. */
  boolean active() {
    return switch (publicState()) {
      case SERVING -> local.state() == LocalState.UP_TO_DATE;
      case SYNCING -> local.state() != LocalState.OFFLINE;
      case LAST_SERVING, WAITING, OFFLINE -> false;
    };
  }

  boolean head() {
    return headTarget.isPresent() && headTarget.get().equals(self) && active();
  }

  /** Whether an update finds room here; one that frees space always does. */
  boolean hasRoomFor(Update update) {
    boolean frees =
        update instanceof Update.Remove
            || (update instanceof Update.Replace whole && whole.removed());
    return frees || view.hasRoomFor(update.payloadBytes());
  }

  /** A member after this one had no room: new updates are refused for a while. */
  void successorIsFull() {
    full = true;
    fullUntilNanos = nowNanos + 2 * limits.retryMaxNanos();
  }

  boolean isSuccessorFull() {
    full = full && nowNanos - fullUntilNanos < 0;
    return full;
  }

  /** OK, or why neither reads nor updates nor questions are served. */
  ErrorCode serving() {
    if (chain == null) {
      return ErrorCode.UNKNOWN_CHAIN;
    }
    if (publicState() != PublicState.SERVING || !active()) {
      return ErrorCode.NOT_SERVING;
    }
    return leased() ? ErrorCode.OK : ErrorCode.NO_LEASE;
  }

  /** Whether no other member of the chain serves. */
  boolean onlyOneServing() {
    return chain != null && chain.serving().equals(List.of(self));
  }

  Optional<TargetId> successor() {
    return active() ? successorTarget : Optional.empty();
  }

  boolean syncs(TargetId target) {
    return chain != null && chain.stateOf(target).filter(PublicState.SYNCING::equals).isPresent();
  }

  /**
   * Compares a message's chain version: OK, UNKNOWN_CHAIN or STALE_CHAIN_VERSION; asks for routing
   * if the message's is newer.
   */
  ErrorCode compare(ChainVersion version) {
    if (version.value() > chainVersion()) {
      emit(new ChainEffect.RequestRouting(version));
    }
    if (chain == null) {
      return ErrorCode.UNKNOWN_CHAIN;
    }
    return version.value() == chainVersion() ? ErrorCode.OK : ErrorCode.STALE_CHAIN_VERSION;
  }

  /** A peer answered with its chain version. */
  void peerActsBy(int version) {
    if (version > chainVersion()) {
      emit(new ChainEffect.RequestRouting(new ChainVersion(version)));
    }
  }

  ActiveChunk chunk(ChunkId id) {
    return chunks.computeIfAbsent(id, _ -> new ActiveChunk(id, view.state(id), nowNanos));
  }

  void retire(ActiveChunk chunk) {
    if (chunk.idle()) {
      chunks.remove(chunk.id);
    }
  }

  void retireAll() {
    chunks.values().removeIf(ActiveChunk::idle);
  }

  void release(long payload) {
    if (payload != ChainEvent.NO_PAYLOAD) {
      emit(new ChainEffect.ReleasePayload(payload));
    }
  }

  String where() {
    return "chain=" + chainId + " version=" + chainVersion() + " target=" + self;
  }
}
