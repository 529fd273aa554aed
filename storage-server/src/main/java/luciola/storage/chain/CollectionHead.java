package luciola.storage.chain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.Request;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.PublicState;

/**
 * The head's side of the collection of tombstones: some at a time, one collection at a time, only
 * while every member of the chain serves by the present chain version.
 *
 * <pre>
 * IDLE --pause is over--&gt; LISTING --old ones that are settled here--&gt; ASKING --every member has
 * answered, and every floor is durable--&gt; FORGETTING, tail first, head last --&gt; IDLE
 * </pre>
 *
 * Any change of the chain, a lost lease and a member that does not answer end it where it is; what
 * was not forgotten is met again later.
 *
 * <p>FLOOR_FIRST: no member forgets the tombstone of version {@code v} before every member's floor
 * is durably {@code v} or higher. A member that comes to serve later was filled by one that serves,
 * and takes its floor before it is complete. So whoever is head has a floor at or above everything
 * that was ever forgotten in this chain, and gives a chunk that it does not know a version that the
 * chunk never had.
 *
 * <p>The tail forgets first: members that still hold a tombstone come before those that do not, so
 * the next head still knows of it.
 */
final class CollectionHead {
  private enum Phase {
    IDLE,
    LISTING,
    ASKING,
    FORGETTING
  }

  private final ReplicaState state;
  private final CollectLimits limits;
  private final Floors floors;
  private final CollectionMember here;

  private Phase phase = Phase.IDLE;
  private long nextNanos;
  private boolean planned;
  private Optional<ChunkId> after = Optional.empty();

  /** The listing, or the forgetting of the head's own. */
  private long own = PendingUpdate.NONE;

  private final Set<Long> calls = new HashSet<>();
  private List<RemovedChunk> removed = List.of();
  private boolean[] agreed = {};
  private boolean floorDurable;

  /** Which floor is waited for: a former collection's may become durable meanwhile. */
  private long asking = PendingUpdate.NONE;

  private int collection;
  private final List<TargetId> toOrder = new ArrayList<>();
  private long abandoned;

  CollectionHead(ReplicaState state, CollectLimits limits, Floors floors, CollectionMember here) {
    this.state = state;
    this.limits = limits;
    this.floors = floors;
    this.here = here;
  }

  /** Collections that ended before their end. */
  long abandoned() {
    return abandoned;
  }

  void tick() {
    if (!mayCollect()) {
      abandon();
    } else if (!planned) {
      pause(limits.pauseNanos());
    } else if (phase == Phase.IDLE && state.nowNanos - nextNanos >= 0) {
      if (state.view.tombstones() == 0) {
        pause(limits.pauseNanos());
      } else {
        phase = Phase.LISTING;
        own = state.nextNumber();
        state.emit(
            new ChainEffect.ListTombstones(own, after, limits.chunksMax(), limits.keepSeconds()));
      }
    }
  }

  private boolean mayCollect() {
    return state.chain != null
        && state.head()
        && state.serving() == ErrorCode.OK
        && state.chain.members().stream().allMatch(member -> member.state() == PublicState.SERVING);
  }

  private void pause(long nanos) {
    phase = Phase.IDLE;
    planned = true;
    nextNanos = state.nowNanos + nanos;
  }

  /** After a collection, or a page without any. */
  private void next() {
    pause(after.isEmpty() ? limits.idleNanos() : limits.pauseNanos());
  }

  /** Ends what is under way; answers that still come are not waited for any more. */
  void abandon() {
    if (phase != Phase.IDLE) {
      abandoned++;
    }
    phase = Phase.IDLE;
    planned = false;
    own = PendingUpdate.NONE;
    calls.clear();
    toOrder.clear();
  }

  void listed(ChainEvent.TombstonesListed event) {
    if (event.number() != own || phase != Phase.LISTING) {
      return;
    }
    own = PendingUpdate.NONE;
    after = event.after();
    removed = event.removed().stream().filter(here::isSettled).toList();
    if (!mayCollect()) {
      abandon();
    } else if (removed.isEmpty()) {
      next();
    } else {
      ask();
    }
  }

  private void ask() {
    phase = Phase.ASKING;
    collection = ++state.collection;
    agreed = new boolean[removed.size()];
    Arrays.fill(agreed, true);
    ChunkVersion floor =
        removed.stream()
            .map(RemovedChunk::version)
            .reduce(state.view.versionFloor(), (a, b) -> a.compareTo(b) >= 0 ? a : b);
    for (TargetId member : others()) {
      call(
          member,
          new CollectRequest(
              state.chainId, state.version(), state.self, member, collection, floor, removed));
    }
    floorDurable = false;
    asking = state.nextNumber();
    long asked = asking;
    floors.raise(
        floor,
        code -> {
          if (code == ErrorCode.OK && phase == Phase.ASKING && asking == asked) {
            floorDurable = true;
            orderIfAllAgreed();
          }
        });
  }

  private List<TargetId> others() {
    return state.chain == null
        ? List.of()
        : state.chain.serving().stream().filter(member -> !member.equals(state.self)).toList();
  }

  private void call(TargetId to, Request message) {
    long number = state.nextNumber();
    calls.add(number);
    state.emit(new ChainEffect.CallMember(number, to, message));
  }

  void answered(ChainEvent.MemberAnswered event) {
    if (!calls.remove(event.call())) {
      return;
    }
    CollectReply reply = event.reply();
    if (reply.code() != ErrorCode.OK
        || reply.chainVersion() != state.chainVersion()
        || reply.yes().size() != removed.size()) {
      state.peerActsBy(reply.chainVersion());
      giveUp();
      return;
    }
    for (int i = 0; i < agreed.length; i++) {
      agreed[i] &= reply.yes().get(i);
    }
    if (phase == Phase.ASKING) {
      orderIfAllAgreed();
    } else if (phase == Phase.FORGETTING) {
      orderNext();
    }
  }

  void callFailed(long call) {
    if (calls.remove(call)) {
      giveUp();
    }
  }

  private void giveUp() {
    abandon();
    pause(limits.pauseNanos());
  }

  private void orderIfAllAgreed() {
    if (!floorDurable || !calls.isEmpty()) {
      return;
    }
    if (!mayCollect()) {
      abandon();
      return;
    }
    phase = Phase.FORGETTING;
    toOrder.clear();
    toOrder.addAll(others().reversed());
    orderNext();
  }

  /** Only what was forgotten by those after it is forgotten by the next. */
  private void orderNext() {
    var still = new ArrayList<RemovedChunk>();
    for (int i = 0; i < agreed.length; i++) {
      if (agreed[i]) {
        still.add(removed.get(i));
      }
    }
    removed = still;
    agreed = new boolean[removed.size()];
    Arrays.fill(agreed, true);
    if (removed.isEmpty()) {
      next();
    } else if (toOrder.isEmpty()) {
      own = here.forget(PendingUpdate.NONE, collection, removed);
    } else {
      TargetId member = toOrder.removeFirst();
      call(
          member,
          new ForgetRequest(
              state.chainId, state.version(), state.self, member, collection, removed));
    }
  }

  void forgotten(ChainEvent.Forgotten event) {
    if (phase == Phase.FORGETTING && event.number() == own) {
      own = PendingUpdate.NONE;
      next();
    }
  }
}
