package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.SyncStartRequest;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.Content;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import org.jspecify.annotations.Nullable;

/** Executes the effects of one chain replica as {@code ChainRunner} does. */
final class SimReplica {
  private static final long MILLI = 1_000_000;
  private static final int[] NO_CHECKSUMS = {};

  private final World world;
  private final SimProcess process;
  private final SimServer server;
  private final SimTarget target;
  private final Cluster cluster;
  private final ChainId chainId;
  private final SimDisk disk;
  private final ChainReplica core;
  private final SimResync resync;
  private final ReplicaProbes probes;
  private final Map<Long, Open> requests = new HashMap<>();
  private final Map<Long, Content> payloads = new HashMap<>();
  private final Set<Acked> oldAcks = new HashSet<>();
  private @Nullable Chain chain;
  private long lastHandle;
  private boolean stepping;
  private boolean failed;

  /** For the planted bug: a version that some successor once acknowledged. */
  private record Acked(ChunkId chunk, ChunkVersion version) {}

  private record Open(Request request, Network.ReplySink<Message.Answer> sink) {}

  SimReplica(Cluster cluster, SimTarget target, ChainId chainId) {
    this.cluster = cluster;
    this.target = target;
    this.server = target.server();
    this.world = cluster.world();
    this.process = server.process();
    this.chainId = chainId;
    this.disk = target.disk(chainId);
    this.core = new ChainReplica(chainId, target.id(), cluster.chainLimits(), disk);
    this.resync = new SimResync(cluster, target, disk, core);
    this.probes = new ReplicaProbes(world, target.id(), disk);
  }

  ChainReplica core() {
    return core;
  }

  ChainId chainId() {
    return chainId;
  }

  TargetId target() {
    return target.id();
  }

  /** Whether the target is of no use before its server restarts. */
  boolean failed() {
    return failed;
  }

  /** Whether it fills another replica now. */
  boolean fills() {
    return resync.busy();
  }

  /** Whether nothing is open. */
  boolean quiet() {
    return requests.isEmpty() && payloads.isEmpty() && disk.quiet();
  }

  String describe() {
    return core + " requests=" + requests.values() + " payloads=" + payloads + " " + resync;
  }

  void lease(long untilNanos) {
    step(new ChainEvent.LeaseChanged(untilNanos));
  }

  void chainChanged(Chain next) {
    if (process.paused()) {
      process.later(0, () -> chainChanged(next));
      return;
    }
    if (next.version().value() <= core.chainVersion()) {
      return;
    }
    meetChange(next);
    chain = next;
    step(new ChainEvent.ChainChanged(next));
    resync.chainChanged(next);
  }

  private void meetChange(Chain next) {
    TargetId self = target.id();
    Optional<PublicState> before = chain == null ? Optional.empty() : chain.stateOf(self);
    PublicState now = next.stateOf(self).orElse(PublicState.OFFLINE);
    if (before.isPresent() && before.get() != now) {
      world.met("a member went from " + before.get() + " to " + now);
    }
  }

  /** Its server dies. */
  void meetCrash() {
    if (resync.busy()) {
      world.met(Probe.SYNC_SOURCE_DIED);
    }
    if (chain != null
        && chain.stateOf(target.id()).filter(PublicState.SYNCING::equals).isPresent()) {
      world.met(Probe.SYNC_TARGET_DIED);
    }
  }

  void tick() {
    if (cluster.has(PlantedBug.SERVE_WITHOUT_LEASE)) {
      lease(process.clockNanos() + 1_000_000 * MILLI);
    }
    step(new ChainEvent.Tick());
    resync.tick();
  }

  void receive(Message message, Network.ReplySink<Message.Answer> sink) {
    long handle = ++lastHandle;
    requests.put(handle, new Open(message.request(), sink));
    switch (message.request()) {
      case Hello _ -> throw new IllegalStateException("no hello in the simulation");
      case ReadRequest read -> step(new ChainEvent.ReadArrived(handle, read.ranges().getFirst()));
      case UpdateRequest update ->
          step(
              new ChainEvent.UpdateArrived(
                  handle, update, payload(update.update().payloadBytes(), message)));
      case ForwardRequest forward ->
          step(
              new ChainEvent.ForwardArrived(
                  handle, forward, payload(forward.update().payloadBytes(), message)));
      case VersionRequest question -> step(new ChainEvent.VersionAsked(handle, question));
      case ChunkListRequest list -> step(new ChainEvent.ListArrived(handle, list));
      case SyncStartRequest start -> step(new ChainEvent.SyncStartArrived(handle, start));
      case InventoryRequest inventory -> step(new ChainEvent.InventoryArrived(handle, inventory));
      case DedupRequest dedup -> step(new ChainEvent.DedupArrived(handle, dedup));
      case SyncDoneRequest done -> step(new ChainEvent.SyncDoneArrived(handle, done));
    }
  }

  private long payload(int bytes, Message message) {
    if (bytes == 0) {
      return ChainEvent.NO_PAYLOAD;
    }
    payloads.put(++lastHandle, message.payload());
    return lastHandle;
  }

  private Content payload(long handle) {
    if (handle == ChainEvent.NO_PAYLOAD) {
      return Content.of(0, 0);
    }
    Content payload = payloads.get(handle);
    if (payload == null) {
      throw new RuleBroken("PayloadsAreReleasedOnce", "used after release: " + core);
    }
    return payload;
  }

  private void step(ChainEvent event) {
    if (stepping) {
      throw new IllegalStateException("an effect stepped the core: " + event);
    }
    if (process.paused()) {
      process.later(0, () -> step(event));
      return;
    }
    world.log(process.name(), () -> "event  " + event);
    List<ChainEffect> effects = core.step(event, process.clockNanos());
    effects.forEach(this::judgeDecision);
    probes.stepped(event, effects, core);
    if (process.heldBefore(() -> execute(effects))) {
      world.met(Probe.EFFECT_DELAYED_BY_PAUSE);
    } else {
      execute(effects);
    }
  }

  private void execute(List<ChainEffect> effects) {
    stepping = true;
    for (ChainEffect effect : effects) {
      world.log(process.name(), () -> "effect " + effect);
      execute(effect);
    }
    stepping = false;
  }

  /** What is decided must be right at this very time, whenever it is done. */
  private void judgeDecision(ChainEffect effect) {
    if (effect instanceof ChainEffect.ServeRead) {
      cluster.rules().authority.serves(target.id(), cluster.books(chainId));
    } else if (effect instanceof ChainEffect.Answer(long request, Reply reply)) {
      Open open = requests.get(request);
      if (open != null) {
        judge(open.request(), reply);
      }
    }
  }

  private void execute(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Stage stage -> stage(stage);
      case ChainEffect.Install install -> {
        world.met("resync installed a copy");
        disk.install(install, payload(install.payload()), this::step);
      }
      case ChainEffect.Commit commit -> {
        disk.commit(commit);
        if (cluster.has(PlantedBug.EARLY_TOMBSTONE_DROP)) {
          disk.dropTombstone(commit.chunk());
        }
      }
      case ChainEffect.Discard discard -> disk.discard(discard);
      case ChainEffect.Forward forward -> forward(forward);
      case ChainEffect.Answer(long request, Reply reply) -> answer(request, reply, Content.MISSING);
      case ChainEffect.ServeRead read -> serveRead(read);
      case ChainEffect.RefuseRead(long request, ErrorCode code) -> {
        world.met("a read was refused: " + code);
        answer(
            request,
            new ReadReply(
                ErrorCode.OK,
                List.of(new ReadReply.Result(code, ChunkVersion.NONE, 0, 0, NO_CHECKSUMS))),
            Content.MISSING);
      }
      case ChainEffect.ServeList(long request, ChunkListRequest _) ->
          answer(request, new ChunkListReply(ErrorCode.OK, List.of(), false), Content.MISSING);
      case ChainEffect.ServeInventory(long request, InventoryRequest page) -> {
        List<ChunkSummary> chunks = disk.inventory(page.after(), page.limit());
        answer(
            request,
            new InventoryReply(ErrorCode.OK, chunks, chunks.size() == page.limit()),
            Content.MISSING);
      }
      case ChainEffect.StoreDedup(long request, List<DedupRecord> records, Reply reply) -> {
        disk.storeDedup(records);
        answer(request, reply, Content.MISSING);
      }
      case ChainEffect.AskVersion ask -> askVersion(ask);
      case ChainEffect.ReleasePayload(long payload) -> {
        if (payloads.remove(payload) == null) {
          throw new RuleBroken("PayloadsAreReleasedOnce", "released twice: " + core);
        }
      }
      case ChainEffect.RequestRouting _ -> server.fetchRouting();
      case ChainEffect.LocalStateChanged _ -> server.heartbeatSoon();
      case ChainEffect.Alert(ErrorCode code, String message) -> alert(code, message);
    }
  }

  private void alert(ErrorCode code, String message) {
    if (code == ErrorCode.CHECKSUM_MISMATCH) {
      throw new RuleBroken("ReplicasAgree", message);
    }
    failed = true;
    world.met("a target failed");
  }

  private void stage(ChainEffect.Stage stage) {
    Content payload = payload(stage.payload());
    if (cluster.has(PlantedBug.ACK_BEFORE_DURABLE)) {
      disk.stage(stage, payload, _ -> {});
      disk.staged(stage)
          .ifPresent(content ->
              process.later(
                  0,
                  () ->
                      step(
                          new ChainEvent.LocalDurable(
                              stage.chunk(),
                              stage.version(),
                              !content.exists(),
                              content.bytes(),
                              content.checksum()))));
    } else {
      disk.stage(stage, payload, this::step);
    }
  }

  private void forward(ChainEffect.Forward forward) {
    if (keepsOldAck(forward)) {
      return;
    }
    Content bytes =
        switch (forward.bytes()) {
          case ChainEffect.Bytes.Payload(long payload) -> payload(payload);
          case ChainEffect.Bytes.WholeChunk(ChunkVersion version) -> {
            world.met("a whole chunk was forwarded");
            yield disk.content(forward.message().chunk(), version)
                .orElseThrow(
                    () -> new RuleBroken("ForwardedVersionsAreHeld", version + " " + core));
          }
        };
    server.call(
        forward.to(),
        new Message(forward.message(), bytes),
        new SimServer.PeerAsker() {
          @Override
          public void answered(Reply reply) {
            if (reply.code() != ErrorCode.OK) {
              world.met("a forward was refused: " + reply.code());
            }
            if (reply.code() == ErrorCode.OK) {
              oldAcks.add(new Acked(forward.message().chunk(), forward.message().version()));
            }
            step(new ChainEvent.ForwardAnswered(forward.forward(), (UpdateReply) reply));
          }

          @Override
          public void failed(ErrorCode code) {
            world.met("a forward failed: " + code);
            step(new ChainEvent.ForwardFailed(forward.forward(), code));
          }
        });
  }

  private boolean keepsOldAck(ChainEffect.Forward forward) {
    ForwardRequest message = forward.message();
    if (!cluster.has(PlantedBug.KEEP_OLD_ACKS)
        || !oldAcks.contains(new Acked(message.chunk(), message.version()))) {
      return false;
    }
    var reply = new UpdateReply(ErrorCode.OK, message.version(), 0, 0, core.chainVersion());
    process.later(0, () -> step(new ChainEvent.ForwardAnswered(forward.forward(), reply)));
    return true;
  }

  private void askVersion(ChainEffect.AskVersion ask) {
    world.met("a replica asked what is committed");
    if (cluster.has(PlantedBug.SKIP_VERSION_QUERY)) {
      VersionReply made =
          new VersionReply(
              ErrorCode.OK,
              core.chainVersion(),
              ask.question().chunks().stream()
                  .map(chunk -> new VersionReply.Answer(ErrorCode.OK, disk.newestDurable(chunk)))
                  .toList());
      process.later(0, () -> step(new ChainEvent.VersionAnswered(ask.ask(), made)));
      return;
    }
    server.call(
        ask.to(),
        new Message(ask.question(), Content.MISSING),
        new SimServer.PeerAsker() {
          @Override
          public void answered(Reply reply) {
            step(new ChainEvent.VersionAnswered(ask.ask(), (VersionReply) reply));
          }

          @Override
          public void failed(ErrorCode code) {
            step(new ChainEvent.AskFailed(ask.ask(), code));
          }
        });
  }

  private void serveRead(ChainEffect.ServeRead read) {
    Content content =
        disk.content(read.range().chunk(), read.version())
            .orElseThrow(() -> new RuleBroken("ServedVersionsAreHeld", read + " " + core));
    if (!disk.newestDurable(read.range().chunk()).equals(read.version())) {
      world.met("a read was served while updates were pending");
    }
    ErrorCode code = content.exists() ? ErrorCode.OK : ErrorCode.CHUNK_NOT_FOUND;
    ReadReply reply =
        new ReadReply(
            ErrorCode.OK,
            List.of(
                new ReadReply.Result(
                    code, read.version(), content.bytes(), content.bytes(), NO_CHECKSUMS)));
    process.later(
        world.between(0, MILLI),
        () -> {
          if (!server.leased()) {
            world.met(Probe.LEASE_ENDED_WHILE_READING);
          }
          answer(read.request(), reply, content);
        });
  }

  private void answer(long request, Reply reply, Content payload) {
    Open open = requests.remove(request);
    if (open == null) {
      throw new RuleBroken("EachRequestIsAnsweredOnce", reply + " " + core);
    }
    open.sink().reply(new Message.Answer(reply, payload));
  }

  /** What this answer claims must be true at this very time. */
  private void judge(Request request, Reply reply) {
    if (reply.code() != ErrorCode.OK) {
      return;
    }
    if (request instanceof UpdateRequest update && reply instanceof UpdateReply made) {
      cluster.rules().once.acknowledged(update.tag(), update.chunk(), made.version());
      cluster
          .rules()
          .survive
          .acknowledged(
              chainId, update.chunk(), made.version(), servingDisks(cluster.books(chainId)));
    }
    if (reply instanceof VersionReply said
        && said.answers().stream().anyMatch(each -> each.code() == ErrorCode.OK)) {
      cluster.rules().authority.decides(target.id(), cluster.books(chainId));
    }
  }

  /** Replicas that the books hold as serving, as their disks have them. */
  private List<AcknowledgedWritesSurvive.Replica> servingDisks(Chain books) {
    var serving = new ArrayList<AcknowledgedWritesSurvive.Replica>();
    for (TargetId member : books.serving()) {
      cluster.target(member).ifPresent(known -> serving.add(known.disk(chainId)));
    }
    return serving;
  }
}
