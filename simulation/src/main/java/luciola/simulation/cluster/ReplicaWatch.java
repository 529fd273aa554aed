package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.DedupRecordsAreTrue;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import org.jspecify.annotations.Nullable;

/** Holds what one replica decides against the rules, at the very time of the decision. */
final class ReplicaWatch {
  private final Cluster cluster;
  private final World world;
  private final SimProcess process;
  private final ChainId chainId;
  private final TargetId self;
  private final ChunkEngine engine;
  private final ChainReplica core;
  private final ReplicaProbes probes;
  private final Map<Long, UpdateRequest> updates = new HashMap<>();

  /** By which version it decided to serve what; the same request may come twice. */
  private final IdentityHashMap<ReadRequest.Range, Long> decided = new IdentityHashMap<>();

  private @Nullable Chain chain;
  private boolean failed;
  private boolean fills;
  private boolean leftSomething;

  ReplicaWatch(
      Cluster cluster, SimTarget target, ChainId chainId, ChunkEngine engine, ChainReplica core) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.process = target.server().process();
    this.chainId = chainId;
    this.self = target.id();
    this.engine = engine;
    this.core = core;
    this.probes = new ReplicaProbes(world, chainId, self, engine);
  }

  /** What a former life decided to serve is still answered. */
  void follows(@Nullable ReplicaWatch former) {
    if (former != null) {
      decided.putAll(former.decided);
    }
  }

  ChainReplica core() {
    return core;
  }

  ChainId chainId() {
    return chainId;
  }

  TargetId self() {
    return self;
  }

  /** Whether the target is of no use before its server restarts. */
  boolean failed() {
    return failed;
  }

  /** Whether some member is filled by this one. */
  boolean fills() {
    return fills
        && chain != null
        && chain.tail().filter(self::equals).isPresent()
        && chain.members().stream().anyMatch(member -> member.state() == PublicState.SYNCING);
  }

  /** Looks whether what it has left is dropped. */
  void meetDropped() {
    if (leftSomething && engine.isHealthy() && engine.chain(chainId).isEmpty()) {
      leftSomething = false;
      world.met(Probe.CHAIN_DATA_DROPPED);
    }
  }

  /** Whether nothing is pending. */
  boolean quiet() {
    return engine.chain(chainId).pendingChunks().isEmpty();
  }

  void stepped(ChainEvent event, List<ChainEffect> effects) {
    world.log(process.name(), () -> "event  " + self + "/" + chainId + " " + event);
    if (event instanceof ChainEvent.UpdateArrived update) {
      updates.put(update.request(), update.update());
    }
    if (event instanceof ChainEvent.ChainChanged(Chain next)) {
      changed(next);
    }
    for (ChainEffect effect : effects) {
      world.log(process.name(), () -> "effect " + self + "/" + chainId + " " + effect);
      judge(effect);
    }
    probes.stepped(event, effects, core);
  }

  private void changed(Chain next) {
    Optional<PublicState> before = chain == null ? Optional.empty() : chain.stateOf(self);
    PublicState now = next.stateOf(self).orElse(PublicState.OFFLINE);
    if (before.isPresent() && before.get() != now) {
      world.met("a member went from " + before.get() + " to " + now);
    }
    if (next.stateOf(self).isEmpty()) {
      leftSomething = !engine.chain(chainId).isEmpty();
    }
    boolean filled = fills();
    chain = next;
    fills = true;
    if (filled && fills()) {
      world.met(Probe.RESYNC_RESUMED);
    }
  }

  private void judge(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.ServeRead read -> {
        cluster.rules().authority.serves(self, cluster.books(chainId), known());
        decided.putIfAbsent(read.range(), known());
      }
      case ChainEffect.Answer(long request, Reply reply) -> answered(request, reply);
      case ChainEffect.Commit commit -> committed(commit);
      case ChainEffect.Forget(long _, List<RemovedChunk> removed) ->
          removed.forEach(each -> cluster.rules().survive.forgotten(each.chunk(), each.version()));
      case ChainEffect.ListTombstones _ when cluster.has(PlantedBug.COLLECT_WITHOUT_ASKING) ->
          engine
              .chain(chainId)
              .tombstones(Optional.empty(), 100)
              .forEach(each -> dropTombstone(each.chunk(), each.version()));
      case ChainEffect.StoreDedup(long _, List<DedupRecord> records, Reply _) ->
          cluster
              .target(self)
              .ifPresent(target ->
                  records.forEach(record ->
                      DedupRecordsAreTrue.stores(
                          record,
                          target.replica(chainId),
                          cluster.rules().survive.forgotten(record.chunk()))));
      case ChainEffect.Install _ -> world.met("resync installed a copy");
      case ChainEffect.Discard _ -> world.met("pending versions were dropped");
      case ChainEffect.Alert(ErrorCode code, String message) -> alert(code, message);
      default -> {}
    }
  }

  private void alert(ErrorCode code, String message) {
    if (message.contains("other bytes")) {
      throw new RuleBroken("ReplicasAgree", message);
    }
    failed |= message.contains("target failed");
    world.met("an alert: " + code);
  }

  /** What this answer claims must be true at this very time. */
  private void answered(long request, Reply reply) {
    UpdateRequest update = updates.remove(request);
    if (reply.code() != ErrorCode.OK) {
      return;
    }
    if (update != null && reply instanceof UpdateReply made) {
      cluster.rules().once.acknowledged(update.tag(), update.chunk(), made.version());
      cluster
          .rules()
          .survive
          .acknowledged(chainId, update.chunk(), made.version(), serving(cluster.books(chainId)));
      meetCutOff(cluster.books(chainId));
    }
    if (reply instanceof VersionReply said
        && said.answers().stream().anyMatch(each -> each.code() == ErrorCode.OK)) {
      cluster.rules().authority.decides(self, cluster.books(chainId), known());
    }
  }

  private void meetCutOff(Chain books) {
    for (SimServer server : cluster.cutOffPeers()) {
      if (server.leased()
          && server.targets().stream()
              .filter(SimTarget::registered)
              .map(SimTarget::id)
              .anyMatch(target ->
                  books.stateOf(target).isPresent() && !books.writePath().contains(target))) {
        world.met(Probe.CUT_OFF_MEMBER_PASSED);
      }
    }
  }

  /** Replicas that the books hold as serving, as their disks have them. */
  private List<AcknowledgedWritesSurvive.Replica> serving(Chain books) {
    var serving = new ArrayList<AcknowledgedWritesSurvive.Replica>();
    for (TargetId member : books.serving()) {
      cluster.target(member).ifPresent(known -> serving.add(known.replica(chainId)));
    }
    return serving;
  }

  private void committed(ChainEffect.Commit commit) {
    var key = new ChunkKey(chainId, commit.chunk());
    engine.chunk(key).pending().stream()
        .filter(version -> version.version().compareTo(commit.version()) <= 0)
        .forEach(version ->
            version
                .tag()
                .ifPresent(tag -> {
                  cluster.rules().once.committed(tag, commit.chunk(), version.version());
                  if (cluster.rules().orphans.contains(tag)) {
                    world.met(Probe.WRITE_DIED_WITH_CLIENT);
                  }
                }));
    if (cluster.has(PlantedBug.EARLY_TOMBSTONE_DROP)) {
      process.later(0, () -> dropTombstone(key, commit.version()));
    }
  }

  private void dropTombstone(ChunkKey key, ChunkVersion version) {
    dropTombstone(engine, key, version);
  }

  /** Makes an engine forget a tombstone by itself. */
  static void dropTombstone(ChunkEngine engine, ChunkKey key, ChunkVersion version) {
    var record = engine.chunk(key);
    if (record.pending().isEmpty()
        && record
            .committedIfAny()
            .filter(it -> it.removed() && it.version().equals(version))
            .isPresent()) {
      var _ = engine.forget(key);
    }
  }

  /** A range is answered. */
  void answers(ReadRequest.Range range) {
    long known = decided.getOrDefault(range, known());
    cluster.rules().authority.answers(self, cluster.books(chainId), known);
  }

  /** The version of the chain that it acts by. */
  long known() {
    return core.chainVersion();
  }

  /** Its server dies. */
  void meetCrash() {
    if (fills()) {
      world.met(Probe.SYNC_SOURCE_DIED);
    }
    if (chain != null && chain.stateOf(self).filter(PublicState.SYNCING::equals).isPresent()) {
      world.met(Probe.SYNC_TARGET_DIED);
    }
  }

  @Override
  public String toString() {
    return core.toString();
  }
}
