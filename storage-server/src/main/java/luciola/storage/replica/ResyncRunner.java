package luciola.storage.replica;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncReply;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.storage.chain.ChainReplica;
import luciola.storage.engine.ChainContents;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChainTotals;
import luciola.storage.peer.Peers;
import luciola.storage.peer.SendQueue;
import luciola.storage.resync.ResyncEffect;
import luciola.storage.resync.ResyncEvent;
import luciola.storage.resync.ResyncProgress;
import luciola.storage.resync.ResyncSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fills the syncing members of a chain while this target is its tail. Belongs to the chain's lane.
 */
public final class ResyncRunner {
  private static final Logger log = LoggerFactory.getLogger(ResyncRunner.class);

  private final TargetId target;
  private final ChunkEngine engine;
  private final EngineView view;
  private final ChainReplica replica;
  private final ReplicaParts parts;
  private final Function<TargetId, SendQueue> queues;
  private final Executor owner;
  private final LongAdder disagreements;
  private final Map<TargetId, Filling> fillings = new HashMap<>();
  private @Nullable Chain chain;
  private volatile List<Running> running = List.of();

  ResyncRunner(
      TargetId target,
      ChunkEngine engine,
      EngineView view,
      ChainReplica replica,
      ReplicaParts parts,
      Function<TargetId, SendQueue> queues,
      Executor owner,
      LongAdder disagreements) {
    this.target = target;
    this.engine = engine;
    this.view = view;
    this.replica = replica;
    this.parts = parts;
    this.queues = queues;
    this.owner = owner;
    this.disagreements = disagreements;
  }

  /** One that is under way. */
  public record Running(TargetId to, ResyncProgress progress, long elapsedNanos) {}

  /** What is under way; any thread. */
  List<Running> running() {
    return running;
  }

  /** One syncing member, and who fills it; nobody while it waits after a failure or is done. */
  private static final class Filling {
    @Nullable ResyncSource source;
    boolean done;
    long notBeforeNanos;
    long beganNanos;
  }

  /** Another chain version: every source of the former one is thrown away. */
  void chainChanged(Chain next) {
    chain = next;
    fillings.clear();
    tick();
  }

  /** Fills nobody any more. */
  void stop() {
    chain = null;
    fillings.clear();
    running = List.of();
  }

  void tick() {
    Chain now = chain;
    if (now == null || !fills(now)) {
      fillings.clear();
      running = List.of();
      return;
    }
    now.members().stream()
        .filter(member -> member.state() == PublicState.SYNCING)
        .forEach(member -> tick(now, member.target()));
    long nanos = parts.clock().getAsLong();
    var under = new ArrayList<Running>(fillings.size());
    fillings.forEach((to, filling) -> {
      if (filling.source != null) {
        under.add(new Running(to, filling.source.progress(), nanos - filling.beganNanos));
      }
    });
    running = List.copyOf(under);
  }

  private boolean fills(Chain now) {
    return now.tail().filter(target::equals).isPresent()
        && replica.localState() == LocalState.UP_TO_DATE;
  }

  private void tick(Chain now, TargetId to) {
    long nanos = parts.clock().getAsLong();
    Filling filling = fillings.get(to);
    if (filling == null) {
      filling = new Filling();
      filling.notBeforeNanos = nanos;
      fillings.put(to, filling);
    }
    if (filling.source == null && !filling.done && nanos - filling.notBeforeNanos >= 0) {
      log.info("resync begins chain={} version={} to={}", now.id(), now.version(), to);
      ChainTotals totals = engine.chain(now.id()).totals();
      filling.beganNanos = nanos;
      filling.source =
          new ResyncSource(
              now,
              target,
              to,
              parts.settings().resync(),
              view,
              parts.resyncBudget(),
              totals.records(),
              totals.bytes());
    }
    step(filling, to, new ResyncEvent.Tick(replica.inheritedUnacknowledged()));
  }

  private void step(Filling filling, TargetId to, ResyncEvent event) {
    ResyncSource source = filling.source;
    if (source == null || fillings.get(to) != filling) {
      return;
    }
    for (ResyncEffect effect : source.step(event, parts.clock().getAsLong())) {
      execute(filling, source, effect);
    }
  }

  private void stepLater(Filling filling, ResyncSource source, ResyncEvent event) {
    owner.execute(() -> {
      if (filling.source == source) {
        step(filling, source.replica(), event);
      }
    });
  }

  private void execute(Filling filling, ResyncSource source, ResyncEffect effect) {
    switch (effect) {
      case ResyncEffect.Call call -> call(filling, source, call);
      case ResyncEffect.ReadInventory read ->
          onReader(
              filling,
              source,
              () -> {
                ChainContents.Inventory page =
                    engine.chain(chainOf(source).id()).inventory(read.after(), read.limit());
                stepLater(
                    filling, source, new ResyncEvent.LocalInventory(page.chunks(), page.more()));
              });
      case ResyncEffect.ReadDedup read ->
          onReader(
              filling,
              source,
              () -> {
                List<DedupRecord> page =
                    engine.chain(chainOf(source).id()).dedups(read.after(), read.limit());
                stepLater(
                    filling, source, new ResyncEvent.LocalDedup(page, page.size() == read.limit()));
              });
      case ResyncEffect.Done done -> {
        filling.source = null;
        filling.done = true;
        log.info(
            "resync done chain={} to={} {}",
            chainOf(source).id(),
            source.replica(),
            done.progress());
      }
      case ResyncEffect.Failed failed -> {
        filling.source = null;
        filling.notBeforeNanos =
            parts.clock().getAsLong() + parts.settings().resyncRetry().toNanos();
        log.warn("resync failed code={} {}", failed.code(), failed.message());
      }
      case ResyncEffect.Alert alert -> {
        disagreements.increment();
        log.error("alert code={} {}", alert.code(), alert.message());
      }
    }
  }

  private Chain chainOf(ResyncSource source) {
    Chain now = chain;
    if (now == null) {
      throw new IllegalStateException("no chain: " + source);
    }
    return now;
  }

  private void onReader(Filling filling, ResyncSource source, Runnable action) {
    try {
      parts
          .readers()
          .execute(() -> {
            try {
              action.run();
            } catch (RuntimeException e) {
              log.warn("resync cannot read its own metadata target={}", target, e);
              stepLater(filling, source, new ResyncEvent.LocalFailed(Peers.codeOf(e)));
            }
          });
    } catch (RejectedExecutionException e) {
      log.debug("resync ends with the server target={}", target);
    }
  }

  private void call(Filling filling, ResyncSource source, ResyncEffect.Call call) {
    CompletableFuture<SendQueue.Ready> ready =
        call.copied().isPresent() && call.message() instanceof ForwardRequest copy
            ? parts.wholeChunks().read(engine, copy, call.copied().get())
            : CompletableFuture.completedFuture(
                new SendQueue.Ready(call.message(), PayloadBuffer.empty()));
    var _ =
        queues
            .apply(source.replica())
            .put(ready, replyType(call.message()))
            .whenComplete((reply, failure) ->
                stepLater(
                    filling,
                    source,
                    failure == null
                        ? new ResyncEvent.Answered(call.call(), reply)
                        : new ResyncEvent.CallFailed(call.call(), codeOf(failure))));
  }

  private static ErrorCode codeOf(Throwable failure) {
    ErrorCode code = Peers.codeOf(failure);
    return code == ErrorCode.CHUNK_BUSY ? ErrorCode.CHUNK_NOT_FOUND : code;
  }

  private static Class<? extends Reply> replyType(Request message) {
    return switch (message) {
      case SyncStartRequest _, SyncDoneRequest _, DedupRequest _ -> SyncReply.class;
      case InventoryRequest _ -> InventoryReply.class;
      case ForwardRequest _ -> UpdateReply.class;
      default -> throw new IllegalArgumentException("not a message of a resync: " + message);
    };
  }
}
