package luciola.storage.replica;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.storage.chain.ChainEvent;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns calls of clients and of other members into events of a replica: verifies their payloads and
 * keeps them, and refuses what comes too late. What a call asks for is the replica's to decide.
 */
final class ChainCalls {
  private static final Logger log = LoggerFactory.getLogger(ChainCalls.class);

  /** Payloads whose checksums are verified in some microseconds. */
  private static final int LIGHT_BYTES_MAX = 64 << 10;

  private final ChainId chain;
  private final ChunkEngine engine;
  private final OpenWork work;
  private final Lane lane;
  private final BooleanSupplier broken;
  private final Consumer<ChainEvent> events;

  /**
   * @param broken whether the replica takes part in nothing any more; in the lane
   * @param events takes an event, in the lane
   */
  ChainCalls(
      ChainId chain,
      ChunkEngine engine,
      OpenWork work,
      Lane lane,
      BooleanSupplier broken,
      Consumer<ChainEvent> events) {
    this.chain = chain;
    this.engine = engine;
    this.work = work;
    this.lane = lane;
    this.broken = broken;
    this.events = events;
  }

  /** Runs things in the chain's lane, light ones at once where that is possible. */
  @FunctionalInterface
  interface Lane {
    /** False, and dropped, once the server stops. */
    boolean post(boolean light, Runnable action);
  }

  /** Ranges of a client's read. Any thread. */
  void read(List<ReadBatch.Slot> slots, List<ReadRequest.Range> wanted) {
    boolean taken =
        lane.post(
            false,
            () -> {
              if (broken.getAsBoolean()) {
                slots.forEach(slot -> slot.failed(ErrorCode.NOT_SERVING));
                return;
              }
              var arrived = new ArrayList<ChainEvent.ReadArrived>(slots.size());
              for (int i = 0; i < slots.size(); i++) {
                arrived.add(new ChainEvent.ReadArrived(work.open(slots.get(i)), wanted.get(i)));
              }
              events.accept(new ChainEvent.ReadsArrived(arrived));
            });
    if (!taken) {
      slots.forEach(slot -> slot.failed(ErrorCode.SHUTTING_DOWN));
    }
  }

  /** A call for this chain and target, other than a read. Any thread. */
  void handle(Call call) {
    PayloadBuffer payload = call.payload().retain();
    boolean taken =
        lane.post(
            isLight(call, payload),
            () -> {
              try {
                if (broken.getAsBoolean()) {
                  call.fail(ErrorCode.NOT_SERVING);
                } else {
                  arrived(call, payload);
                }
              } finally {
                payload.release();
              }
            });
    if (!taken) {
      payload.release();
      call.fail(ErrorCode.SHUTTING_DOWN);
    }
  }

  /** Whether a call is decided in some microseconds, without a look at the disk. */
  private boolean isLight(Call call, PayloadBuffer payload) {
    return payload.bytes() <= LIGHT_BYTES_MAX
        && switch (call.request()) {
          case UpdateRequest update -> engine.isAtHand(new ChunkKey(chain, update.chunk()));
          case ForwardRequest forward -> engine.isAtHand(new ChunkKey(chain, forward.chunk()));
          default -> false;
        };
  }

  private void arrived(Call call, PayloadBuffer payload) {
    switch (call.request()) {
      case UpdateRequest update -> {
        if (verified(call, update.update(), update.checksums(), payload)) {
          events.accept(new ChainEvent.UpdateArrived(work.open(call), update, work.keep(payload)));
        }
      }
      case ForwardRequest forward -> {
        if (verified(call, forward.update(), forward.checksums(), payload)) {
          events.accept(
              new ChainEvent.ForwardArrived(work.open(call), forward, work.keep(payload)));
        }
      }
      case VersionRequest question ->
          events.accept(new ChainEvent.VersionAsked(work.open(call), question));
      case ChunkListRequest list ->
          events.accept(new ChainEvent.ListArrived(work.open(call), list));
      case InventoryRequest inventory ->
          events.accept(new ChainEvent.InventoryArrived(work.open(call), inventory));
      case SyncStartRequest start ->
          events.accept(new ChainEvent.SyncStartArrived(work.open(call), start));
      case DedupRequest dedup -> events.accept(new ChainEvent.DedupArrived(work.open(call), dedup));
      case SyncDoneRequest done ->
          events.accept(new ChainEvent.SyncDoneArrived(work.open(call), done));
      case CollectRequest question ->
          events.accept(new ChainEvent.CollectArrived(work.open(call), question));
      case ForgetRequest order ->
          events.accept(new ChainEvent.ForgetArrived(work.open(call), order));
      case ReadRequest _, FetchRequest _, Hello _ -> call.fail(ErrorCode.UNSUPPORTED);
    }
  }

  private static boolean verified(
      Call call, Update update, int[] checksums, PayloadBuffer payload) {
    int offset = update instanceof Update.Write write ? write.offset() : 0;
    MemorySegment bytes = payload.bytes() == 0 ? MemorySegment.NULL : payload.segment();
    boolean good = Granules.firstMismatch(offset, bytes, checksums) < 0;
    if (!good) {
      log.warn("payload does not fit its checksums request={}", call.request());
      call.fail(ErrorCode.CHECKSUM_MISMATCH);
    }
    return good;
  }
}
