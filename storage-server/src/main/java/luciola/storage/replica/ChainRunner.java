package luciola.storage.replica;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import luciola.protocol.connection.Call;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.chain.ReadPermit;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.HeldVersion;
import luciola.storage.index.ChunkKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the replica of one chain on one target: brings calls, notices of the engine, answers of
 * peers and ticks into events, and hands effects to who executes them. Everything here runs in the
 * chain's {@link ChainLane} but {@link #handle}, {@link #read}, {@link #holdCommitted} and the
 * getters, which any thread may call.
 */
public final class ChainRunner {
  private static final Logger log = LoggerFactory.getLogger(ChainRunner.class);

  private final ChainId chainId;
  private final TargetId target;
  private final ChunkEngine engine;
  private final LongAdder disagreements;
  private final ReplicaParts parts;
  private final LongSupplier clock;
  private final ChainLane lane;
  private final ChainReplica replica;
  private final OpenWork work = new OpenWork();
  private final ChainCalls calls;
  private final ChainWrites writes;
  private final ChainMessages messages;
  private final ChainReads reads;
  private final ChainTombstones tombstones;
  private final ResyncRunner resync;
  private final Future<?> ticks;
  private @Nullable Chain chain;
  private boolean broken;

  /** Newest version given to {@link #chainChanged}; of its caller. */
  private int offeredVersion;

  private volatile LocalState localState = LocalState.OFFLINE;
  private volatile int chainVersion;
  private volatile long tombstonesForgotten;
  private volatile ReadPermit permit = ReadPermit.NONE;
  private volatile String trouble = "";

  /**
   * A replica that knows no chain version yet.
   *
   * @param disagreements counted up whenever this replica holds what it must not
   */
  public ChainRunner(
      ChainId chainId,
      TargetId target,
      ChunkEngine engine,
      ReplicaParts parts,
      LongAdder disagreements) {
    this.chainId = chainId;
    this.target = target;
    this.engine = engine;
    this.disagreements = disagreements;
    this.parts = parts;
    this.clock = parts.clock();
    ScheduledExecutorService owner = parts.owners().apply(chainId);
    this.lane = new ChainLane(owner);
    var view = new EngineView(chainId, engine);
    this.replica =
        new ChainReplica(chainId, target, parts.settings().chain(), parts.collect(), view);
    this.calls = new ChainCalls(chainId, engine, work, this::post, () -> broken, this::step);
    this.writes =
        new ChainWrites(chainId, engine, view, work, this::post, this::postHere, this::step);
    this.messages = new ChainMessages(engine, parts, work, this::post, this::postHere, this::step);
    this.reads = new ChainReads(chainId, engine, parts.readers());
    this.tombstones =
        new ChainTombstones(chainId, engine, view, parts.readers(), this::post, this::step);
    this.resync =
        new ResyncRunner(
            target, engine, view, replica, parts, messages::queue, this::post, disagreements);
    long tick = parts.settings().chain().tickNanos();
    this.ticks =
        owner.scheduleWithFixedDelay(() -> post(this::tick), tick, tick, TimeUnit.NANOSECONDS);
  }

  /** The chain of which this is a replica. */
  public ChainId chainId() {
    return chainId;
  }

  /** The target that holds it. */
  public TargetId target() {
    return target;
  }

  /** Whether this is the replica of that chain on that target. */
  public boolean isAt(ChainId otherChain, TargetId otherTarget) {
    return chainId.equals(otherChain) && target.equals(otherTarget);
  }

  /** The engine of its target. */
  public ChunkEngine engine() {
    return engine;
  }

  /** What to report. */
  public LocalState localState() {
    return localState;
  }

  /** The chain version acted by; 0 until one is known. */
  public int chainVersion() {
    return chainVersion;
  }

  /** Why this replica takes part in nothing, in words; empty while nothing is wrong. */
  public String trouble() {
    return trouble;
  }

  /** Removed chunks that were forgotten in this life. */
  public long tombstonesForgotten() {
    return tombstonesForgotten;
  }

  /** Fillings of other members that are under way. */
  public List<ResyncRunner.Running> resyncs() {
    return resync.running();
  }

  /** What may be served without an event. */
  public ReadPermit permit() {
    return permit;
  }

  /** Routing as it is now; nothing happens if it holds no newer version. One thread at a time. */
  public void chainChanged(Chain next) {
    if (next.version().value() <= offeredVersion) {
      return;
    }
    offeredVersion = next.version().value();
    post(() -> {
      if (!broken && (chain == null || next.version().compareTo(chain.version()) > 0)) {
        chain = next;
        step(new ChainEvent.ChainChanged(next));
        resync.chainChanged(next);
        parts.reportNow().run();
      }
    });
  }

  /** The manager extended the lease to this time. */
  public void leaseChanged(long untilNanos) {
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

  /**
   * Holds the committed version of a range's chunk if it may be served without a decision, see
   * {@link ReadPermit}; null: {@link #read} decides.
   */
  public @Nullable HeldVersion holdCommitted(ReadRequest.Range range) {
    ReadPermit before = permit;
    if (!before.mayServe(range)) {
      return null;
    }
    HeldVersion held = engine.holdSettled(new ChunkKey(chainId, range.chunk()));
    if (held == null) {
      return null;
    }
    if (ReadPermit.covers(before, permit, clock.getAsLong())) {
      return held;
    }
    held.close();
    return null;
  }

  /** Ranges of a client's read. */
  public void read(List<ReadBatch.Slot> slots, List<ReadRequest.Range> wanted) {
    calls.read(slots, wanted);
  }

  /** Another replica wants a version for a repair: no decision, it knows what the bytes must be. */
  public void fetch(Call call, FetchRequest request) {
    reads.fetch(call, request, clock);
  }

  /** A call for this chain and target, other than a read. */
  public void handle(Call call) {
    calls.handle(call);
  }

  /** Runs in the lane; false, and dropped, once the server stops. */
  private boolean post(Runnable action) {
    return post(false, action);
  }

  /** The same for light work, which may run at once on the calling thread. */
  private boolean postHere(Runnable action) {
    return post(true, action);
  }

  private boolean post(boolean light, Runnable action) {
    try {
      if (light) {
        lane.executeHere(() -> guarded(action));
      } else {
        lane.execute(() -> guarded(action));
      }
      return true;
    } catch (RejectedExecutionException e) {
      log.debug("dropped at the stop chain={} target={}", chainId, target);
      return false;
    }
  }

  private void guarded(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      if (broken) {
        log.debug("after the end of a replica chain={} target={}", chainId, target, e);
      } else {
        breakDown(e);
      }
    }
  }

  /** A broken invariant: this replica takes part in nothing any more. */
  private void breakDown(RuntimeException e) {
    log.error("replica broken, target leaves the chain chain={} target={}", chainId, target, e);
    parts.observer().broke(chainId, target, e);
    trouble = "replica of chain " + chainId + " broken: " + e;
    dropAll();
    parts.reportNow().run();
  }

  /** Takes part in nothing any more; completes when the lane has seen it. */
  public CompletableFuture<Boolean> stop() {
    var stopped = new CompletableFuture<Boolean>();
    boolean taken =
        post(() -> {
          dropAll();
          stopped.complete(true);
        });
    if (!taken) {
      stopped.complete(false);
    }
    return stopped;
  }

  private void dropAll() {
    broken = true;
    permit = ReadPermit.NONE;
    localState = LocalState.OFFLINE;
    ticks.cancel(false);
    resync.stop();
    work.refuseAll(ErrorCode.NOT_SERVING);
  }

  private void step(ChainEvent event) {
    if (broken) {
      return;
    }
    List<ChainEffect> effects = replica.step(event, clock.getAsLong());
    // Before anybody can learn of a state in which this replica does not serve.
    permit = replica.permit();
    parts.observer().stepped(chainId, target, event, effects, replica);
    for (ChainEffect effect : effects) {
      execute(effect);
    }
    localState = replica.localState();
    chainVersion = replica.chainVersion();
    if (event instanceof ChainEvent.Forgotten) {
      tombstonesForgotten = replica.tombstonesForgotten();
    }
  }

  private void execute(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Stage stage -> writes.stage(stage);
      case ChainEffect.Install install -> writes.install(install);
      case ChainEffect.Commit commit -> writes.commit(commit);
      case ChainEffect.Discard discard -> writes.discard(discard);
      case ChainEffect.Forward forward -> messages.forward(forward);
      case ChainEffect.AskVersion ask -> messages.ask(ask);
      case ChainEffect.ListTombstones list -> tombstones.list(list);
      case ChainEffect.RaiseFloor raise -> tombstones.raise(raise);
      case ChainEffect.Forget forget -> tombstones.forget(forget);
      case ChainEffect.CallMember member -> messages.call(member);
      case ChainEffect.Answer answer -> work.answer(answer.request(), answer.reply());
      case ChainEffect.ServeRead read ->
          reads.serve(read, work.takeRange(read.request()), permit.leaseUntilNanos());
      case ChainEffect.RefuseRead refusal ->
          work.takeRange(refusal.request()).failed(refusal.code());
      case ChainEffect.ServeList list -> reads.serve(list, work.take(list.request()));
      case ChainEffect.ServeInventory inventory ->
          reads.serve(inventory, work.take(inventory.request()));
      case ChainEffect.StoreDedup dedup -> reads.store(dedup, work.take(dedup.request()));
      case ChainEffect.ReleasePayload release -> work.releasePayload(release.payload());
      case ChainEffect.RequestRouting _ -> parts.routing().refresh();
      case ChainEffect.LocalStateChanged changed -> {
        localState = changed.state();
        log.info("local state chain={} target={} state={}", chainId, target, changed.state());
        parts.reportNow().run();
      }
      case ChainEffect.Alert alert -> alert(alert);
    }
  }

  private void alert(ChainEffect.Alert alert) {
    log.error("alert code={} {}", alert.code(), alert.message());
    if (replica.localState() == LocalState.OFFLINE) {
      trouble = alert.code() + ": " + alert.message();
    } else {
      disagreements.increment();
    }
  }
}
