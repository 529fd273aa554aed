package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChainReplica;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/** Sees rare situations in what goes into one replica's core and what comes out. */
final class ReplicaProbes {
  private final World world;
  private final TargetId self;
  private final ChainId chainId;
  private final ChunkEngine engine;
  private final Map<Long, ForwardRequest> forwards = new HashMap<>();
  private final Map<Long, List<ChunkId>> asks = new HashMap<>();
  private final Map<Long, UpdateRequest> updates = new HashMap<>();
  private final Map<Long, ForwardRequest> copies = new HashMap<>();
  private final Set<ChunkId> installing = new HashSet<>();
  private final Set<ChunkId> inherited = new HashSet<>();
  private final Set<UpdateTag> staged = new HashSet<>();
  private final Set<UpdateTag> taken = new HashSet<>();
  private final Set<UpdateTag> handedOver = new HashSet<>();
  private @Nullable Chain chain;
  private int forgot;
  private long abandoned;

  ReplicaProbes(World world, ChainId chainId, TargetId self, ChunkEngine engine) {
    this.world = world;
    this.chainId = chainId;
    this.self = self;
    this.engine = engine;
  }

  private ChunkRecord record(ChunkId chunk) {
    return engine.chunk(new ChunkKey(chainId, chunk));
  }

  private ChunkVersion newest(ChunkId chunk) {
    return record(chunk).newest().map(VersionRecord::version).orElse(ChunkVersion.NONE);
  }

  /** What one step did. */
  void stepped(ChainEvent event, List<ChainEffect> effects, ChainReplica core) {
    arrived(event);
    switch (event) {
      case ChainEvent.ReadArrived read -> readArrived(read, effects);
      case ChainEvent.ReadsArrived(var all) -> all.forEach(read -> readArrived(read, effects));
      case ChainEvent.UpdateArrived update -> updateArrived(update, effects);
      case ChainEvent.ForwardArrived forward -> forwardArrived(forward, effects);
      case ChainEvent.ForwardAnswered(long forward, UpdateReply reply) ->
          forwardAnswered(forward, reply);
      case ChainEvent.VersionAnswered answer -> versionAnswered(answer, effects, core);
      case ChainEvent.LocalFailed(ChunkId _, ChunkVersion _, ErrorCode code) ->
          localFailed(code, effects);
      case ChainEvent.ChainChanged(Chain next) -> chainChanged(next, effects, core);
      case ChainEvent.ForgetArrived order -> forgot = Math.max(forgot, order.order().collection());
      case ChainEvent.Forgotten(long _, int count) when count > 0 ->
          world.met(Probe.TOMBSTONE_COLLECTED);
      case ChainEvent.SyncDoneArrived done
          when done.done().floor().value() > engine.chain(chainId).totals().versionFloor() ->
          world.met(Probe.FLOOR_HANDED_OVER);
      case ChainEvent.InstallDurable done -> installing.remove(done.chunk());
      default -> {}
    }
    effects.forEach(this::effect);
  }

  private void arrived(ChainEvent event) {
    switch (event) {
      case ChainEvent.UpdateArrived update -> updates.put(update.request(), update.update());
      case ChainEvent.ForwardArrived forward when forward.forward().copy() ->
          copies.put(forward.request(), forward.forward());
      default -> {}
    }
  }

  private void effect(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Stage stage -> stage.tag().ifPresent(staged::add);
      case ChainEffect.Forward forward -> {
        forwards.put(forward.forward(), forward.message());
        if (forward.bytes() instanceof ChainEffect.Bytes.WholeChunk) {
          world.met(Probe.WHOLE_CHUNK_FORWARDED);
        }
      }
      case ChainEffect.AskVersion ask -> asks.put(ask.ask(), ask.question().chunks());
      case ChainEffect.Install install -> {
        installing.add(install.chunk());
        if (install.version().equals(ChunkVersion.NONE)) {
          world.met("resync made a replica forget a chunk");
        } else if (install.removed()) {
          world.met(Probe.COPY_OF_TOMBSTONE);
        }
      }
      case ChainEffect.RefuseRead(long _, ErrorCode code) -> {
        world.met("a read was refused: " + code);
        if (code == ErrorCode.NO_LEASE) {
          world.met(Probe.READ_REFUSED_WITHOUT_LEASE);
        }
      }
      case ChainEffect.Commit(ChunkId chunk, ChunkVersion _, var _) -> committed(chunk);
      case ChainEffect.StoreDedup(long _, List<DedupRecord> records, Reply _) ->
          records.forEach(record -> handedOver.add(record.tag()));
      case ChainEffect.Answer(long request, Reply reply) -> answered(request, reply);
      default -> {}
    }
  }

  private void committed(ChunkId chunk) {
    if (inherited.remove(chunk)) {
      world.met(Probe.COMMITTED_AFTER_OUTAGE);
    }
  }

  private void answered(long request, Reply reply) {
    UpdateRequest update = updates.remove(request);
    if (update != null && reply.code() == ErrorCode.NO_SPACE) {
      world.met(Probe.NO_SPACE_AT_HEAD);
    }
    ForwardRequest copy = copies.remove(request);
    if (copy != null
        && reply instanceof UpdateReply made
        && made.code() == ErrorCode.OK
        && made.checksum() == 0
        && !installing.contains(copy.chunk())
        && newest(copy.chunk()).compareTo(copy.version()) > 0) {
      world.met(Probe.COPY_PASSED_OVER);
    }
  }

  private void readArrived(ChainEvent.ReadArrived read, List<ChainEffect> effects) {
    boolean waits =
        effects.stream()
            .noneMatch(effect ->
                (effect instanceof ChainEffect.ServeRead serve && serve.request() == read.request())
                    || (effect instanceof ChainEffect.RefuseRead refuse
                        && refuse.request() == read.request()));
    if (waits && isHead()) {
      world.met(Probe.READ_WAITED_AT_NEW_HEAD);
    } else if (waits && isMiddle()) {
      world.met(Probe.PENDING_READ_AT_MIDDLE);
    } else if (!waits && isHead() && !record(read.range().chunk()).pending().isEmpty()) {
      world.met(Probe.READ_OF_PENDING_CHUNK_AT_HEAD);
    }
  }

  private boolean isHead() {
    return chain != null && chain.head().filter(self::equals).isPresent();
  }

  private boolean isMiddle() {
    return chain != null
        && chain.serving().contains(self)
        && !isHead()
        && chain.tail().filter(self::equals).isEmpty();
  }

  private void updateArrived(ChainEvent.UpdateArrived event, List<ChainEffect> effects) {
    UpdateRequest update = event.update();
    boolean stages = effects.stream().anyMatch(ChainEffect.Stage.class::isInstance);
    Optional<UpdateReply> answer =
        effects.stream()
            .filter(effect ->
                effect instanceof ChainEffect.Answer answered
                    && answered.request() == event.request())
            .map(effect -> (UpdateReply) ((ChainEffect.Answer) effect).reply())
            .findFirst();
    if (stages) {
      taken.add(update.tag());
      ChunkRecord record = record(update.chunk());
      if (record.newest().filter(VersionRecord::removed).isPresent()
          && update.update() instanceof Update.Write) {
        world.met(Probe.REMOVED_AND_RECREATED);
      }
      ChainEffect.Stage stage =
          (ChainEffect.Stage)
              effects.stream().filter(ChainEffect.Stage.class::isInstance).findFirst().get();
      if (record.newest().isEmpty() && stage.version().value() > 1) {
        world.met(Probe.FLOOR_TAKEN);
      }
      long committed = record.committedIfAny().map(it -> it.version().value()).orElse(0L);
      if (stage.version().value() - committed >= 3) {
        world.met(Probe.PIPELINED_VERSIONS);
      }
    } else if (answer.isEmpty()) {
      world.met(Probe.DUPLICATE_WHILE_PENDING);
    } else if (answer.get().code() == ErrorCode.OK) {
      world.met(Probe.DUPLICATE_OF_DONE);
      if (record(update.chunk()).newest().isEmpty()) {
        world.met(Probe.DUPLICATE_OF_COLLECTED);
      }
      if (handedOver.contains(update.tag())) {
        world.met(Probe.DUPLICATE_FROM_RESYNC);
      } else if (!staged.contains(update.tag())) {
        world.met(Probe.DUPLICATE_AFTER_RESTART);
      } else if (!taken.contains(update.tag())) {
        world.met(Probe.DUPLICATE_AT_NEW_HEAD);
      }
    }
  }

  private void forwardArrived(ChainEvent.ForwardArrived event, List<ChainEffect> effects) {
    ForwardRequest forward = event.forward();
    if (forward.copy()) {
      return;
    }
    for (ChainEffect effect : effects) {
      if (effect instanceof ChainEffect.Answer(long request, Reply reply)
          && request == event.request()) {
        if (reply.code() == ErrorCode.CHUNK_BUSY
            && forward.collection() < forgot
            && record(forward.chunk()).newest().isEmpty()) {
          world.met(Probe.LATE_FORWARD_OF_COLLECTED);
        }
        if (reply.code() == ErrorCode.MISSING_UPDATE) {
          world.met(Probe.FORWARD_GAP_REFUSED);
        } else if (reply.code() == ErrorCode.STALE_CHAIN_VERSION) {
          world.met(Probe.STALE_CHAIN_REFUSED);
        }
      } else if (effect instanceof ChainEffect.Discard) {
        world.met(Probe.FORWARD_REPLACES_PENDING);
      } else if (effect instanceof ChainEffect.Stage stage
          && stage.update() instanceof Update.Replace
          && installing.contains(stage.chunk())) {
        world.met(Probe.REPLACEMENT_DURING_COPY);
      }
    }
  }

  private void forwardAnswered(long forward, UpdateReply reply) {
    ForwardRequest sent = forwards.remove(forward);
    if (sent != null
        && reply.code() == ErrorCode.OK
        && chain != null
        && sent.chainVersion().compareTo(chain.version()) < 0) {
      world.met(Probe.LATE_ACK_OF_OLDER_CHAIN);
    }
  }

  private void versionAnswered(
      ChainEvent.VersionAnswered event, List<ChainEffect> effects, ChainReplica core) {
    List<ChunkId> chunks = asks.remove(event.ask());
    if (chunks == null || event.reply().code() != ErrorCode.OK) {
      return;
    }
    if (event.reply().chainVersion() != core.chainVersion()) {
      world.met(Probe.QUERY_OVERTAKEN_BY_CHAIN);
      return;
    }
    boolean commits = effects.stream().anyMatch(ChainEffect.Commit.class::isInstance);
    boolean serves = effects.stream().anyMatch(ChainEffect.ServeRead.class::isInstance);
    if (serves) {
      world.met(commits ? Probe.QUERY_ANSWERED_PENDING : Probe.QUERY_ANSWERED_COMMITTED);
    }
  }

  private void localFailed(ErrorCode code, List<ChainEffect> effects) {
    boolean fails = effects.stream().anyMatch(ChainEffect.Alert.class::isInstance);
    if (code == ErrorCode.NO_SPACE) {
      world.met(isHead() ? Probe.NO_SPACE_AT_HEAD : Probe.NO_SPACE_AT_MIDDLE);
    }
    if (fails) {
      world.met(Probe.DISK_FAILED);
    }
  }

  private void chainChanged(Chain next, List<ChainEffect> effects, ChainReplica core) {
    @Nullable Chain before = chain;
    chain = next;
    forgot = 0;
    if (core.collectionsAbandoned() > abandoned) {
      abandoned = core.collectionsAbandoned();
      world.met(Probe.COLLECTION_ABANDONED);
    }
    List<ChunkId> pending =
        engine.chain(chainId).pendingChunks().stream().map(ChunkKey::chunk).toList();
    if (before == null
        && next.stateOf(self).filter(PublicState.SERVING::equals).isPresent()
        && core.localState() == LocalState.OFFLINE) {
      world.met(Probe.NEW_LIFE_FENCED);
    }
    if (isHead() && before != null && before.head().filter(self::equals).isEmpty()) {
      if (!pending.isEmpty()) {
        world.met(Probe.HEAD_CHANGED_WITH_PENDING);
      }
      if (before.stateOf(self).filter(PublicState.LAST_SERVING::equals).isPresent()) {
        meetRevival(before);
        inherited.addAll(pending);
      }
    }
    if (isHead()
        && before != null
        && !pending.isEmpty()
        && before.members().stream().anyMatch(member -> next.stateOf(member.target()).isEmpty())) {
      world.met(Probe.MEMBER_LEFT_WITH_WRITE_IN_FLIGHT);
    }
    if (count(next, PublicState.SYNCING) > 1 && isHead()) {
      world.met(Probe.TWO_SYNCING_AT_ONCE);
    }
    if (effects.stream().anyMatch(ChainEffect.Discard.class::isInstance)
        && next.stateOf(self).filter(PublicState.SYNCING::equals).isPresent()) {
      world.met(Probe.PENDING_DROPPED_AT_SYNC);
    }
  }

  private static int count(Chain chain, PublicState state) {
    return (int) chain.members().stream().filter(member -> member.state() == state).count();
  }

  private void meetRevival(Chain before) {
    var last = new ArrayList<TargetId>();
    for (ChainMember member : before.members()) {
      if (member.state() == PublicState.LAST_SERVING) {
        last.add(member.target());
      }
    }
    if (last.size() > 1) {
      world.met(
          last.getFirst().equals(self)
              ? Probe.LAST_SERVING_REVIVED_FIRST
              : Probe.LAST_SERVING_REVIVED_OTHER);
    }
  }
}
