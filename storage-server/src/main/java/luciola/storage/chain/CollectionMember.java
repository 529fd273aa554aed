package luciola.storage.chain;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.PublicState;

/**
 * A member's side of the collection of tombstones, see {@link CollectionHead}.
 *
 * <p>From its answer to a question on, what this member forwards carries the question's number;
 * from the order to forget on, it takes no forward of a chunk that it does not know and that
 * carries an older number. Every member has answered before any is ordered to forget, so only
 * forwards that are late are refused: a member that called a removal settled has nothing older of
 * the chunk to forward any more.
 */
final class CollectionMember {
  private final ReplicaState state;
  private final Floors floors;
  private final Map<Long, Ordered> forgetting = new HashMap<>();
  private long forgotten;

  /** An order that is being executed. */
  private record Ordered(long request, List<RemovedChunk> removed) {}

  CollectionMember(ReplicaState state, Floors floors) {
    this.state = state;
    this.floors = floors;
  }

  /** The head asks. */
  void asked(ChainEvent.CollectArrived event) {
    CollectRequest question = event.question();
    ErrorCode code = refusal(question.chainVersion(), question.from(), question.to());
    if (code != ErrorCode.OK) {
      answer(event.request(), code, List.of());
      return;
    }
    state.collection = Math.max(state.collection, question.collection());
    List<Boolean> settled = question.removed().stream().map(this::isSettled).toList();
    floors.raise(
        question.floor(), failed -> floorRaised(event.request(), question, settled, failed));
  }

  private void floorRaised(
      long request, CollectRequest question, List<Boolean> settled, ErrorCode failed) {
    ErrorCode code =
        failed == ErrorCode.OK
            ? refusal(question.chainVersion(), question.from(), question.to())
            : failed;
    answer(request, code, code == ErrorCode.OK ? settled : List.of());
  }

  /** The head orders. */
  void ordered(ChainEvent.ForgetArrived event) {
    ForgetRequest order = event.order();
    ErrorCode code = refusal(order.chainVersion(), order.from(), order.to());
    if (code == ErrorCode.OK && !order.removed().stream().allMatch(this::isBelowFloor)) {
      state.emit(
          new ChainEffect.Alert(
              ErrorCode.INVARIANT_BROKEN,
              "told to forget above the floor: " + state.where() + " from=" + order.from()));
      code = ErrorCode.INVARIANT_BROKEN;
    }
    if (code != ErrorCode.OK) {
      answer(event.request(), code, List.of());
      return;
    }
    state.collection = Math.max(state.collection, order.collection());
    forget(event.request(), order.collection(), order.removed());
  }

  private boolean isBelowFloor(RemovedChunk removed) {
    return removed.version().compareTo(state.view.versionFloor()) <= 0;
  }

  /**
   * Forgets what is still settled.
   *
   * @return number of the effect
   */
  long forget(long request, int collection, List<RemovedChunk> removed) {
    state.forgot = Math.max(state.forgot, collection);
    long number = state.nextNumber();
    forgetting.put(number, new Ordered(request, removed));
    state.emit(
        new ChainEffect.Forget(
            number, removed.stream().filter(each -> isSettled(each) && isHeld(each)).toList()));
    return number;
  }

  /** Done; what is not there any more was forgotten, now or before. */
  void done(ChainEvent.Forgotten event) {
    forgotten += event.count();
    Ordered ordered = forgetting.remove(event.number());
    if (ordered != null && ordered.request() != PendingUpdate.NONE) {
      answer(
          ordered.request(),
          ErrorCode.OK,
          ordered.removed().stream().map(each -> !isHeld(each)).toList());
    }
  }

  /** Tombstones forgotten in this life. */
  long forgotten() {
    return forgotten;
  }

  /**
   * Whether a removal is committed here with nothing after it, or nothing at all is known of the
   * chunk.
   */
  boolean isSettled(RemovedChunk removed) {
    ActiveChunk active = state.chunks.get(removed.chunk());
    if (active != null && !active.idle()) {
      return false;
    }
    ChunkView.ChunkState held = state.view.state(removed.chunk());
    return held.pending().isEmpty()
        && (held.isMissing() || (held.removed() && held.committed().equals(removed.version())));
  }

  private boolean isHeld(RemovedChunk removed) {
    return state.view.state(removed.chunk()).committed().equals(removed.version());
  }

  private ErrorCode refusal(ChainVersion version, TargetId from, TargetId to) {
    ErrorCode code = state.compare(version);
    if (code != ErrorCode.OK) {
      return code;
    }
    boolean fits =
        to.equals(state.self)
            && state.publicState() == PublicState.SERVING
            && state.active()
            && state.headTarget().filter(from::equals).isPresent();
    return fits ? ErrorCode.OK : ErrorCode.NOT_SERVING;
  }

  private void answer(long request, ErrorCode code, List<Boolean> yes) {
    state.emit(new ChainEffect.Answer(request, new CollectReply(code, state.chainVersion(), yes)));
  }

  /** The target failed: who waits is told. */
  void abandon(ErrorCode code) {
    forgetting.values().stream()
        .filter(ordered -> ordered.request() != PendingUpdate.NONE)
        .forEach(ordered -> answer(ordered.request(), code, List.of()));
    forgetting.clear();
  }
}
