package luciola.simulation.cluster;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.Content;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainReplica;
import luciola.storage.chain.ChunkView;
import luciola.storage.resync.ResyncEffect;
import luciola.storage.resync.ResyncEvent;
import luciola.storage.resync.ResyncLimits;
import luciola.storage.resync.ResyncSource;
import luciola.storage.resync.TokenBucket;
import org.jspecify.annotations.Nullable;

/** Drives the resyncs that a replica is the source of, as {@code ResyncRunner} does. */
final class SimResync {
  private static final long MILLI = 1_000_000;
  private static final long RETRY_NANOS = 30 * MILLI;
  private static final ResyncLimits LIMITS = new ResyncLimits(2, 3, 2, 10 * MILLI, 20);

  private final World world;
  private final SimProcess process;
  private final SimServer server;
  private final TargetId self;
  private final SimDisk disk;
  private final ChunkView view;
  private final ChainReplica core;
  private final TokenBucket budget = new TokenBucket(200_000);
  private final Map<TargetId, Filling> fillings = new TreeMap<>();
  private @Nullable Chain chain;

  private static final class Filling {
    @Nullable ResyncSource source;
    boolean done;
    long notBeforeNanos;
  }

  SimResync(Cluster cluster, SimTarget target, SimDisk disk, ChainReplica core) {
    this.world = cluster.world();
    this.view = cluster.has(PlantedBug.EARLY_DEDUP_RECORDS) ? new EagerView(disk) : disk;
    this.server = target.server();
    this.process = server.process();
    this.self = target.id();
    this.disk = disk;
    this.core = core;
  }

  /** Whether it fills somebody now. */
  boolean busy() {
    return fillings.values().stream().anyMatch(filling -> filling.source != null);
  }

  void chainChanged(Chain next) {
    boolean interrupted = busy();
    chain = next;
    fillings.clear();
    tick();
    if (interrupted && busy()) {
      world.met(Probe.RESYNC_RESUMED);
    }
  }

  void tick() {
    Chain now = chain;
    if (now == null || !fills(now)) {
      fillings.clear();
      return;
    }
    now.members().stream()
        .filter(member -> member.state() == PublicState.SYNCING)
        .forEach(member -> tick(now, member.target()));
  }

  private boolean fills(Chain now) {
    return now.tail().filter(self::equals).isPresent()
        && core.localState() == LocalState.UP_TO_DATE;
  }

  private void tick(Chain now, TargetId to) {
    Filling filling = fillings.get(to);
    if (filling == null) {
      filling = new Filling();
      filling.notBeforeNanos = process.clockNanos();
      fillings.put(to, filling);
    }
    if (filling.source == null
        && !filling.done
        && process.clockNanos() - filling.notBeforeNanos >= 0) {
      world.met("a resync began");
      filling.source =
          new ResyncSource(now, self, to, LIMITS, view, budget, disk.inventory().size(), 0);
    }
    step(filling, to, new ResyncEvent.Tick(core.inheritedUnacknowledged()));
  }

  private void step(Filling filling, TargetId to, ResyncEvent event) {
    ResyncSource source = filling.source;
    if (source == null || fillings.get(to) != filling) {
      return;
    }
    world.log(process.name(), () -> "resync event  " + event + " " + source);
    for (ResyncEffect effect : source.step(event, process.clockNanos())) {
      if (view instanceof EagerView eager) {
        eager.commitsAll = false;
      }
      world.log(process.name(), () -> "resync effect " + effect);
      execute(filling, source, effect);
    }
  }

  private void stepLater(
      long delayNanos,
      Filling filling,
      ResyncSource source,
      java.util.function.Supplier<ResyncEvent> event) {
    process.later(
        delayNanos,
        () -> {
          if (filling.source == source) {
            step(filling, source.replica(), event.get());
          }
        });
  }

  private void execute(Filling filling, ResyncSource source, ResyncEffect effect) {
    switch (effect) {
      case ResyncEffect.Call call -> call(filling, source, call);
      case ResyncEffect.ReadInventory(Optional<ChunkId> after, int limit) ->
          stepLater(
              world.between(0, MILLI),
              filling,
              source,
              () -> {
                List<ChunkSummary> page = disk.inventory(after, limit);
                return new ResyncEvent.LocalInventory(page, page.size() == limit);
              });
      case ResyncEffect.ReadDedup(Optional<UpdateTag> after, int limit) ->
          stepLater(
              world.between(0, MILLI),
              filling,
              source,
              () -> {
                List<DedupRecord> page = disk.records(after, limit);
                if (view instanceof EagerView eager) {
                  eager.commitsAll = true;
                }
                return new ResyncEvent.LocalDedup(page, page.size() == limit);
              });
      case ResyncEffect.Done _ -> {
        world.met("a resync ended");
        filling.source = null;
        filling.done = true;
      }
      case ResyncEffect.Failed _ -> {
        world.met("a resync failed");
        filling.source = null;
        filling.notBeforeNanos = process.clockNanos() + RETRY_NANOS;
      }
      case ResyncEffect.Alert(ErrorCode _, String message) ->
          throw new RuleBroken("ReplicasAgree", message);
    }
  }

  private void call(Filling filling, ResyncSource source, ResyncEffect.Call call) {
    Content bytes = Content.MISSING;
    if (call.copied().isPresent()) {
      Optional<Content> held =
          disk.content(((ForwardRequest) call.message()).chunk(), call.copied().get());
      if (held.isEmpty()) {
        stepLater(
            0,
            filling,
            source,
            () -> new ResyncEvent.CallFailed(call.call(), ErrorCode.CHUNK_NOT_FOUND));
        return;
      }
      bytes = held.get();
    }
    server.call(
        source.replica(),
        new Message(call.message(), bytes),
        new SimServer.PeerAsker() {
          @Override
          public void answered(Reply reply) {
            if (filling.source == source) {
              step(filling, source.replica(), new ResyncEvent.Answered(call.call(), reply));
            }
          }

          @Override
          public void failed(ErrorCode code) {
            if (filling.source == source) {
              step(filling, source.replica(), new ResyncEvent.CallFailed(call.call(), code));
            }
          }
        });
  }

  /** For the planted bug: takes pending versions for committed when dedup records are chosen. */
  private static final class EagerView implements ChunkView {
    private final SimDisk disk;
    boolean commitsAll;

    EagerView(SimDisk disk) {
      this.disk = disk;
    }

    @Override
    public ChunkState state(ChunkId chunk) {
      ChunkState state = disk.state(chunk);
      return commitsAll
          ? new ChunkState(state.newest(), state.committedChainVersion(), false, 0, 0, List.of())
          : state;
    }

    @Override
    public Optional<DedupRecord> dedup(ClientId client, int channel) {
      return disk.dedup(client, channel);
    }

    @Override
    public List<ChunkId> chunksWithPending() {
      return disk.chunksWithPending();
    }

    @Override
    public boolean empty() {
      return disk.empty();
    }

    @Override
    public boolean hasRoomFor(long bytes) {
      return disk.hasRoomFor(bytes);
    }
  }

  @Override
  public String toString() {
    var text = new StringBuilder();
    fillings.forEach((to, filling) ->
        text.append(' ').append(to).append(filling.done ? " done" : " " + filling.source));
    return text.toString();
  }
}
