package luciola.storage.server;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import luciola.protocol.connection.Call;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkUpdate;
import luciola.storage.engine.Staged;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the replica of one chain on one target: turns calls, notices of the engine, answers of
 * peers and ticks into events, and effects into deeds. Everything here runs on the chain's owner
 * thread but {@link #handle}, {@link #read} and the getters, which any thread may call.
 */
final class ChainRunner {
  private static final Logger log = LoggerFactory.getLogger(ChainRunner.class);

  private final ChainId chainId;
  private final TargetId target;
  private final ChunkEngine engine;
  private final ServerParts parts;
  private final ScheduledExecutorService owner;
  private final EngineView view;
  private final ChainReplica replica;
  private final ResyncRunner resync;

  private final Map<Long, Call> calls = new HashMap<>();
  private final Map<Long, ReadBatch.Slot> ranges = new HashMap<>();
  private final Map<Long, PayloadBuffer> payloads = new HashMap<>();
  private final Map<TargetId, SendQueue> queues = new HashMap<>();
  private long lastNumber;
  private @Nullable Chain chain;
  private boolean broken;

  private volatile LocalState localState = LocalState.OFFLINE;
  private volatile int chainVersion;

  ChainRunner(ChainId chainId, TargetId target, ChunkEngine engine, ServerParts parts) {
    this.chainId = chainId;
    this.target = target;
    this.engine = engine;
    this.parts = parts;
    this.owner = parts.owners().of(chainId);
    this.view = new EngineView(chainId, engine);
    this.replica = new ChainReplica(chainId, target, parts.config().chain(), view);
    this.resync = new ResyncRunner(target, engine, view, replica, parts, this::queue, this::post);
    long tick = parts.config().chain().tickNanos();
    var _ =
        owner.scheduleWithFixedDelay(() -> guarded(this::tick), tick, tick, TimeUnit.NANOSECONDS);
  }

  ChainId chainId() {
    return chainId;
  }

  TargetId target() {
    return target;
  }

  /** What to report. */
  LocalState localState() {
    return localState;
  }

  /** The chain version acted by; 0 until one is known. */
  int chainVersion() {
    return chainVersion;
  }

  /** Newer routing. */
  void chainChanged(Chain next) {
    post(() -> {
      if (chain == null || next.version().compareTo(chain.version()) > 0) {
        chain = next;
        step(new ChainEvent.ChainChanged(next));
        resync.chainChanged(next);
      }
    });
  }

  void leaseChanged(long untilNanos) {
    post(() -> step(new ChainEvent.LeaseChanged(untilNanos)));
  }

  void diskFailed(ErrorCode code) {
    post(() -> step(new ChainEvent.DiskFailed(code)));
  }

  private void tick() {
    if (broken) {
      return;
    }
    if (!engine.isHealthy() && replica.localState() != LocalState.OFFLINE) {
      step(new ChainEvent.DiskFailed(ErrorCode.DISK_ERROR));
    }
    step(new ChainEvent.Tick());
    resync.tick();
  }

  /** A range of a client's read. */
  void read(List<ReadBatch.Slot> slots, List<ReadRequest.Range> wanted) {
    post(() -> {
      for (int i = 0; i < slots.size(); i++) {
        if (broken) {
          slots.get(i).failed(ErrorCode.NOT_SERVING);
        } else {
          long request = ++lastNumber;
          ranges.put(request, slots.get(i));
          step(new ChainEvent.ReadArrived(request, wanted.get(i)));
        }
      }
    });
  }

  /** A call for this chain and target, other than a read. */
  void handle(Call call) {
    PayloadBuffer payload = call.payload().retain();
    post(() -> {
      try {
        if (broken) {
          call.fail(ErrorCode.NOT_SERVING);
        } else {
          arrived(call, payload);
        }
      } finally {
        payload.release();
      }
    });
  }

  private void arrived(Call call, PayloadBuffer payload) {
    switch (call.request()) {
      case UpdateRequest update -> {
        if (verified(call, update.update(), update.checksums(), payload)) {
          step(new ChainEvent.UpdateArrived(number(call), update, keep(payload)));
        }
      }
      case ForwardRequest forward -> {
        if (verified(call, forward.update(), forward.checksums(), payload)) {
          step(new ChainEvent.ForwardArrived(number(call), forward, keep(payload)));
        }
      }
      case VersionRequest question -> step(new ChainEvent.VersionAsked(number(call), question));
      case ChunkListRequest list -> step(new ChainEvent.ListArrived(number(call), list));
      case InventoryRequest inventory ->
          step(new ChainEvent.InventoryArrived(number(call), inventory));
      case SyncStartRequest start -> step(new ChainEvent.SyncStartArrived(number(call), start));
      case DedupRequest dedup -> step(new ChainEvent.DedupArrived(number(call), dedup));
      case SyncDoneRequest done -> step(new ChainEvent.SyncDoneArrived(number(call), done));
      case ReadRequest _, Hello _ -> call.fail(ErrorCode.UNSUPPORTED);
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

  private long number(Call call) {
    calls.put(++lastNumber, call);
    return lastNumber;
  }

  private long keep(PayloadBuffer payload) {
    if (payload.bytes() == 0) {
      return ChainEvent.NO_PAYLOAD;
    }
    payloads.put(++lastNumber, payload.retain());
    return lastNumber;
  }

  private PayloadBuffer payload(long number) {
    return payloads.getOrDefault(number, PayloadBuffer.empty());
  }

  /** Runs on the owner thread; dropped once the server stops. */
  void post(Runnable action) {
    try {
      owner.execute(() -> guarded(action));
    } catch (RejectedExecutionException e) {
      log.debug("dropped at the stop chain={} target={}", chainId, target);
    }
  }

  private void guarded(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      breakDown(e);
    }
  }

  /** A broken invariant: this replica takes part in nothing any more. */
  private void breakDown(RuntimeException e) {
    log.error("replica broken, target leaves the chain chain={} target={}", chainId, target, e);
    dropAll();
    parts.reportNow().run();
  }

  /** Takes part in nothing any more; completes when nothing is under way. */
  CompletableFuture<Boolean> stop() {
    var stopped = new CompletableFuture<Boolean>();
    try {
      owner.execute(() -> {
        dropAll();
        stopped.complete(true);
      });
    } catch (RejectedExecutionException e) {
      stopped.complete(false);
    }
    return stopped;
  }

  private void dropAll() {
    broken = true;
    localState = LocalState.OFFLINE;
    calls.values().forEach(call -> call.fail(ErrorCode.NOT_SERVING));
    calls.clear();
    ranges.values().forEach(slot -> slot.failed(ErrorCode.NOT_SERVING));
    ranges.clear();
    payloads.values().forEach(PayloadBuffer::release);
    payloads.clear();
  }

  private void step(ChainEvent event) {
    if (broken) {
      return;
    }
    for (ChainEffect effect : replica.step(event, System.nanoTime())) {
      execute(effect);
    }
    localState = replica.localState();
    chainVersion = replica.chainVersion();
  }

  private void execute(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Stage stage -> stage(stage);
      case ChainEffect.Install install -> install(install);
      case ChainEffect.Commit commit ->
          engine.commit(key(commit.chunk()), commit.version(), commit.chainVersion().value());
      case ChainEffect.Discard discard -> {
        view.discarded(discard.chunk(), discard.from());
        engine.discard(key(discard.chunk()), discard.from());
      }
      case ChainEffect.Forward forward -> forward(forward);
      case ChainEffect.Answer answer -> answer(answer.request(), answer.reply());
      case ChainEffect.ServeRead read -> serve(read);
      case ChainEffect.RefuseRead refusal -> slot(refusal.request()).failed(refusal.code());
      case ChainEffect.ServeList list -> serve(list);
      case ChainEffect.ServeInventory inventory -> serve(inventory);
      case ChainEffect.StoreDedup dedup -> store(dedup);
      case ChainEffect.AskVersion ask -> ask(ask);
      case ChainEffect.ReleasePayload release -> {
        PayloadBuffer buffer = payloads.remove(release.payload());
        if (buffer != null) {
          buffer.release();
        }
      }
      case ChainEffect.RequestRouting _ -> parts.routing().refresh();
      case ChainEffect.LocalStateChanged changed -> {
        localState = changed.state();
        log.info("local state chain={} target={} state={}", chainId, target, changed.state());
        parts.reportNow().run();
      }
      case ChainEffect.Alert alert -> log.error("alert code={} {}", alert.code(), alert.message());
    }
  }

  private ChunkKey key(ChunkId chunk) {
    return new ChunkKey(chainId, chunk);
  }

  private void stage(ChainEffect.Stage stage) {
    long number = ++lastNumber;
    PayloadBuffer buffer = payload(stage.payload()).retain();
    view.staged(stage.chunk(), stage.version(), number);
    var update =
        new ChunkUpdate(
            key(stage.chunk()),
            stage.version(),
            stage.chainVersion().value(),
            stage.update(),
            bytes(buffer),
            stage.checksums(),
            stage.tag(),
            false);
    var _ =
        engine
            .stage(update)
            .whenComplete((staged, failure) -> {
              buffer.release();
              post(() -> staged(stage, number, staged, failure));
            });
  }

  private static MemorySegment bytes(PayloadBuffer buffer) {
    return buffer.bytes() == 0 ? MemorySegment.NULL : buffer.segment();
  }

  private void staged(
      ChainEffect.Stage stage, long number, @Nullable Staged staged, @Nullable Throwable failure) {
    if (!view.noticed(stage.chunk(), stage.version(), number)) {
      return;
    }
    if (staged != null) {
      boolean removed =
          engine
              .chunk(key(stage.chunk()))
              .find(stage.version())
              .map(VersionRecord::removed)
              .orElse(false);
      step(
          new ChainEvent.LocalDurable(
              stage.chunk(), stage.version(), removed, staged.chunkBytes(), staged.checksum()));
    } else {
      failed(stage.chunk(), stage.version(), failure);
    }
  }

  private void failed(ChunkId chunk, ChunkVersion version, @Nullable Throwable failure) {
    ErrorCode code = failure == null ? ErrorCode.INTERNAL : Peers.codeOf(failure);
    log.error("write failed chunk={} version={}", key(chunk), version, failure);
    ErrorCode told =
        code == ErrorCode.NO_SPACE || code == ErrorCode.CHECKSUM_MISMATCH
            ? code
            : ErrorCode.DISK_ERROR;
    step(new ChainEvent.LocalFailed(chunk, version, told));
  }

  private void install(ChainEffect.Install install) {
    if (install.version().equals(ChunkVersion.NONE)) {
      var _ =
          engine
              .forget(key(install.chunk()))
              .whenComplete((_, failure) ->
                  post(() -> installed(install, new Staged(install.version(), 0, 0), failure)));
      return;
    }
    PayloadBuffer buffer = payload(install.payload()).retain();
    var update =
        new ChunkUpdate(
            key(install.chunk()),
            install.version(),
            install.chainVersion(),
            new Update.Replace(install.length(), install.removed()),
            bytes(buffer),
            install.checksums(),
            Optional.empty(),
            true);
    var _ =
        engine
            .stage(update)
            .whenComplete((staged, failure) -> {
              buffer.release();
              post(() -> installed(install, staged, failure));
            });
  }

  private void installed(
      ChainEffect.Install install, @Nullable Staged staged, @Nullable Throwable failure) {
    if (failure != null || staged == null) {
      failed(install.chunk(), install.version(), failure);
    } else {
      step(
          new ChainEvent.InstallDurable(
              install.request(), install.chunk(), staged.chunkBytes(), staged.checksum()));
    }
  }

  private SendQueue queue(TargetId to) {
    return queues.computeIfAbsent(to, _ -> new SendQueue(to, parts.peers(), executor()));
  }

  private Executor executor() {
    return this::post;
  }

  private void forward(ChainEffect.Forward forward) {
    CompletableFuture<SendQueue.Ready> ready =
        switch (forward.bytes()) {
          case ChainEffect.Bytes.Payload(long number) ->
              CompletableFuture.completedFuture(
                  new SendQueue.Ready(forward.message(), payload(number).retain()));
          case ChainEffect.Bytes.WholeChunk(ChunkVersion version) ->
              parts.wholeChunks().read(engine, forward.message(), version);
        };
    var _ =
        queue(forward.to())
            .put(ready, UpdateReply.class)
            .whenComplete((reply, failure) ->
                post(() ->
                    step(
                        failure == null
                            ? new ChainEvent.ForwardAnswered(forward.forward(), reply)
                            : new ChainEvent.ForwardFailed(
                                forward.forward(), Peers.codeOf(failure)))));
  }

  private void ask(ChainEffect.AskVersion ask) {
    var _ =
        parts
            .peers()
            .call(ask.to(), ask.question(), VersionReply.class)
            .whenComplete((reply, failure) ->
                post(() ->
                    step(
                        failure == null
                            ? new ChainEvent.VersionAnswered(ask.ask(), reply)
                            : new ChainEvent.AskFailed(ask.ask(), Peers.codeOf(failure)))));
  }

  private void answer(long request, Reply reply) {
    Call call = calls.remove(request);
    if (call == null) {
      throw new IllegalStateException("request answered twice: request=" + request);
    }
    call.reply(reply);
  }

  private ReadBatch.Slot slot(long request) {
    ReadBatch.Slot slot = ranges.remove(request);
    if (slot == null) {
      throw new IllegalStateException("range answered twice: request=" + request);
    }
    return slot;
  }

  private void serve(ChainEffect.ServeRead read) {
    ReadBatch.Slot slot = slot(read.request());
    ReadRequest.Range range = read.range();
    if (read.version().equals(ChunkVersion.NONE)) {
      slot.failed(ErrorCode.CHUNK_NOT_FOUND);
      return;
    }
    ChunkEngine.Held held;
    try {
      held = engine.hold(key(range.chunk()), read.version());
    } catch (LuciolaException e) {
      slot.failed(e.code());
      return;
    }
    onReader(
        () -> {
          try {
            slot.found(engine.read(held, range.offset(), range.length()));
          } catch (LuciolaException e) {
            slot.failed(e.code());
          }
        },
        () -> {
          held.close();
          slot.failed(ErrorCode.SHUTTING_DOWN);
        });
  }

  private void onReader(Runnable action, Runnable whenStopping) {
    try {
      parts.readers().execute(action);
    } catch (RejectedExecutionException e) {
      whenStopping.run();
    }
  }

  private void serve(ChainEffect.ServeList effect) {
    Call call = taken(effect.request());
    ChunkListRequest list = effect.list();
    onReader(
        () -> {
          List<ChunkListReply.Item> found =
              engine.chunks(chainId, list.inode(), list.first(), list.limit() + 1);
          boolean more = found.size() > list.limit();
          call.reply(
              new ChunkListReply(
                  ErrorCode.OK, more ? found.subList(0, list.limit()) : found, more));
        },
        () -> call.fail(ErrorCode.SHUTTING_DOWN));
  }

  private void serve(ChainEffect.ServeInventory effect) {
    Call call = taken(effect.request());
    InventoryRequest request = effect.inventory();
    onReader(
        () -> {
          ChunkEngine.Inventory page = engine.inventory(chainId, request.after(), request.limit());
          call.reply(new InventoryReply(ErrorCode.OK, page.chunks(), page.more()));
        },
        () -> call.fail(ErrorCode.SHUTTING_DOWN));
  }

  private Call taken(long request) {
    Call call = calls.remove(request);
    if (call == null) {
      throw new IllegalStateException("request answered twice: request=" + request);
    }
    return call;
  }

  private void store(ChainEffect.StoreDedup dedup) {
    Call call = taken(dedup.request());
    var _ =
        engine
            .putDedups(chainId, dedup.records())
            .whenComplete((_, failure) -> {
              if (failure == null) {
                call.reply(dedup.answer());
              } else {
                call.fail(Peers.codeOf(failure));
              }
            });
  }
}
