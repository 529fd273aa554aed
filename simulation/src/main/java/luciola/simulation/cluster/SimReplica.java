package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.Content;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.resync.ResyncEffect;
import luciola.storage.resync.ResyncEvent;
import luciola.storage.resync.ResyncLimits;
import luciola.storage.resync.ResyncSource;
import org.jspecify.annotations.Nullable;

/** Executes the effects of one chain replica, and of the resyncs it is the source of. */
final class SimReplica {
  private static final long MILLI = 1_000_000;
  private static final int[] NO_CHECKSUMS = {};
  private static final ResyncLimits RESYNC = new ResyncLimits(2, 3, 2, 10 * MILLI, 20);

  private final World world;
  private final SimProcess process;
  private final SimServer server;
  private final Cluster cluster;
  private final ChainId chainId;
  private final Optional<PlantedBug> bug;
  private final SimDisk disk;
  private final ChainReplica core;
  private final Map<Long, Open> requests = new HashMap<>();
  private final Map<Long, Content> payloads = new HashMap<>();
  private final Map<TargetId, ResyncSource> resyncs = new TreeMap<>();
  private @Nullable Chain chain;
  private long lastHandle;
  private boolean stepping;
  private boolean failed;

  private record Open(Request request, Network.ReplySink<Message.Answer> sink) {}

  SimReplica(SimServer server, Cluster cluster, ChainId chainId, Optional<PlantedBug> bug) {
    this.server = server;
    this.cluster = cluster;
    this.world = cluster.world();
    this.process = server.process();
    this.chainId = chainId;
    this.bug = bug;
    this.disk = server.disk(chainId);
    this.core = new ChainReplica(chainId, server.target(), cluster.chainLimits(), disk);
  }

  ChainReplica core() {
    return core;
  }

  /** Whether the target is of no use before its server restarts. */
  boolean failed() {
    return failed;
  }

  /** Whether nothing is open. */
  boolean quiet() {
    return requests.isEmpty() && payloads.isEmpty() && disk.quiet();
  }

  String describe() {
    return core + " requests=" + requests.values() + " payloads=" + payloads + " " + resyncs;
  }

  void lease(long untilNanos) {
    step(new ChainEvent.LeaseChanged(untilNanos));
  }

  void chainChanged(Chain next) {
    if (next.version().value() <= core.chainVersion()) {
      return;
    }
    meetChange(next);
    chain = next;
    step(new ChainEvent.ChainChanged(next));
    resyncs.clear();
  }

  private void meetChange(Chain next) {
    TargetId self = server.target();
    Optional<PublicState> before = chain == null ? Optional.empty() : chain.stateOf(self);
    PublicState now = next.stateOf(self).orElse(PublicState.OFFLINE);
    if (before.isPresent() && before.get() != now) {
      world.met("a member went from " + before.get() + " to " + now);
    }
    if (chain != null
        && next.head().filter(self::equals).isPresent()
        && chain.head().filter(self::equals).isEmpty()) {
      world.met("a member became head");
    }
  }

  void tick() {
    if (bug.filter(PlantedBug.SERVE_WITHOUT_LEASE::equals).isPresent()) {
      lease(process.clockNanos() + 1_000_000 * MILLI);
    }
    step(new ChainEvent.Tick());
    if (chain == null || !core.serving(process.clockNanos()) || !isTail(chain)) {
      resyncs.clear();
      return;
    }
    for (ChainMember member : chain.members()) {
      if (member.state() == PublicState.SYNCING) {
        ResyncSource source = resyncs.get(member.target());
        if (source == null || !source.chainVersion().equals(chain.version())) {
          world.met("a resync began");
          source =
              new ResyncSource(
                  chain, server.target(), member.target(), RESYNC, disk, disk.inventory().size());
          resyncs.put(member.target(), source);
        }
        resync(source, new ResyncEvent.Tick(core.inheritedUnacknowledged()));
      }
    }
  }

  private boolean isTail(Chain known) {
    return known.tail().filter(server.target()::equals).isPresent();
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
    stepping = true;
    world.log(process.name(), () -> "event  " + event);
    for (ChainEffect effect : core.step(event, process.clockNanos())) {
      world.log(process.name(), () -> "effect " + effect);
      execute(effect);
    }
    stepping = false;
  }

  private void execute(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Stage stage -> stage(stage);
      case ChainEffect.Install install -> {
        world.met("resync installed a copy");
        disk.install(install, payload(install.payload()), this::step);
      }
      case ChainEffect.Commit commit -> disk.commit(commit);
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
        List<ChunkSummary> chunks = page(page.after(), page.limit());
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
    if (bug.filter(PlantedBug.ACK_BEFORE_DURABLE::equals).isPresent()) {
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
            step(new ChainEvent.ForwardAnswered(forward.forward(), (UpdateReply) reply));
          }

          @Override
          public void failed(ErrorCode code) {
            world.met("a forward failed: " + code);
            step(new ChainEvent.ForwardFailed(forward.forward(), code));
          }
        });
  }

  private void askVersion(ChainEffect.AskVersion ask) {
    world.met("a replica asked what is committed");
    if (bug.filter(PlantedBug.SKIP_VERSION_QUERY::equals).isPresent()) {
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
    cluster.rules().authority.serves(server.target(), cluster.books(chainId));
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
    process.later(world.between(0, MILLI), () -> answer(read.request(), reply, content));
  }

  private void answer(long request, Reply reply, Content payload) {
    Open open = requests.remove(request);
    if (open == null) {
      throw new RuleBroken("EachRequestIsAnsweredOnce", reply + " " + core);
    }
    judge(open.request(), reply);
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
              update.chunk(), made.version(), server.servingDisks(cluster.books(chainId)));
    }
    if (reply instanceof VersionReply) {
      cluster.rules().authority.decides(server.target(), cluster.books(chainId));
    }
  }

  private List<ChunkSummary> page(Optional<ChunkId> after, int limit) {
    return disk.inventory().stream()
        .filter(held -> after.isEmpty() || held.chunk().compareTo(after.get()) > 0)
        .limit(limit)
        .toList();
  }

  private void resync(ResyncSource source, ResyncEvent event) {
    if (resyncs.get(source.replica()) != source) {
      return;
    }
    world.log(process.name(), () -> "resync event  " + event + " " + source);
    for (ResyncEffect effect : source.step(event, process.clockNanos())) {
      world.log(process.name(), () -> "resync effect " + effect);
      switch (effect) {
        case ResyncEffect.Call call -> callReplica(source, call);
        case ResyncEffect.ReadInventory(Optional<ChunkId> after, int limit) ->
            process.later(
                world.between(0, MILLI),
                () -> {
                  List<ChunkSummary> chunks = page(after, limit);
                  resync(source, new ResyncEvent.LocalInventory(chunks, chunks.size() == limit));
                });
        case ResyncEffect.ReadDedup(var after, int limit) ->
            process.later(
                world.between(0, MILLI),
                () -> {
                  List<DedupRecord> all = new ArrayList<>(disk.records());
                  List<DedupRecord> some =
                      all.stream()
                          .filter(record ->
                              after.isEmpty()
                                  || record.tag().client().compareTo(after.get().client()) > 0
                                  || (record.tag().client().equals(after.get().client())
                                      && record.tag().channel() > after.get().channel()))
                          .limit(limit)
                          .toList();
                  resync(source, new ResyncEvent.LocalDedup(some, some.size() == limit));
                });
        case ResyncEffect.Done _ -> world.met("a resync ended");
        case ResyncEffect.Failed _ -> {
          world.met("a resync failed");
          resyncs.remove(source.replica());
        }
        case ResyncEffect.Alert(ErrorCode _, String message) ->
            throw new RuleBroken("ReplicasAgree", message);
      }
    }
  }

  private void callReplica(ResyncSource source, ResyncEffect.Call call) {
    Content bytes = Content.MISSING;
    if (call.copied().isPresent()) {
      Optional<Content> held =
          disk.content(((ForwardRequest) call.message()).chunk(), call.copied().get());
      if (held.isEmpty()) {
        process.later(
            0,
            () ->
                resync(source, new ResyncEvent.CallFailed(call.call(), ErrorCode.CHUNK_NOT_FOUND)));
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
            resync(source, new ResyncEvent.Answered(call.call(), reply));
          }

          @Override
          public void failed(ErrorCode code) {
            resync(source, new ResyncEvent.CallFailed(call.call(), code));
          }
        });
  }
}
