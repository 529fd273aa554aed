package luciola.storage.chain;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.SyncReply;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;

/**
 * The side of resync that is filled. The tail of the chain is the source.
 *
 * <p>A copy is what the source had committed when it looked; an update that was forwarded since may
 * have arrived before it. So a copy of version {@code v} is passed over (and answered OK) if
 *
 * <pre>
 * v or a newer version is pending here        (OK once one of those is durable, CHUNK_BUSY before)
 * a version newer than v was committed here by the present chain version
 * </pre>
 *
 * Everything that was pending when the sync began was dropped then, so that what is pending came by
 * a forward. Otherwise the copy replaces all that is held of the chunk.
 */
final class SyncReceiver {
  private final ReplicaState state;
  private final WritePath path;
  private final Floors floors;
  private final Map<Long, Install> installs = new LinkedHashMap<>();

  /** A copy that is being written, by the request that brought it. */
  private record Install(ActiveChunk chunk, ChunkVersion version, long payload) {}

  SyncReceiver(ReplicaState state, WritePath path, Floors floors) {
    this.state = state;
    this.path = path;
    this.floors = floors;
  }

  void start(ChainEvent.SyncStartArrived event) {
    ErrorCode code =
        refusal(event.start().chainVersion(), event.start().from(), event.start().to());
    answer(event.request(), code);
  }

  void inventory(ChainEvent.InventoryArrived event) {
    InventoryRequest request = event.inventory();
    ErrorCode code = state.compare(request.chainVersion());
    if (code == ErrorCode.OK && !(request.target().equals(state.self) && state.active())) {
      code = ErrorCode.NOT_SERVING;
    }
    state.emit(
        code == ErrorCode.OK
            ? new ChainEffect.ServeInventory(event.request(), request)
            : new ChainEffect.Answer(event.request(), new InventoryReply(code, List.of(), false)));
  }

  void dedup(ChainEvent.DedupArrived event) {
    DedupRequest dedup = event.dedup();
    ErrorCode code = refusal(dedup.chainVersion(), dedup.from(), dedup.to());
    if (code == ErrorCode.OK) {
      state.emit(
          new ChainEffect.StoreDedup(
              event.request(), dedup.records(), new SyncReply(code, state.chainVersion())));
    } else {
      answer(event.request(), code);
    }
  }

  void done(ChainEvent.SyncDoneArrived event) {
    ErrorCode code = refusal(event.done().chainVersion(), event.done().from(), event.done().to());
    if (code == ErrorCode.OK) {
      floors.raise(event.done().floor(), failed -> complete(event, failed));
    } else {
      answer(event.request(), code);
    }
  }

  /** The floor is durable here; meanwhile the chain may have changed. */
  private void complete(ChainEvent.SyncDoneArrived event, ErrorCode failed) {
    ErrorCode code =
        failed == ErrorCode.OK
            ? refusal(event.done().chainVersion(), event.done().from(), event.done().to())
            : failed;
    if (code == ErrorCode.OK && state.local.state() == LocalState.ONLINE) {
      state.local.syncDone();
      state.emit(new ChainEffect.LocalStateChanged(state.local.state()));
    }
    answer(event.request(), code);
  }

  void copy(ChainEvent.ForwardArrived event) {
    ForwardRequest copy = event.forward();
    ErrorCode code = refusal(copy.chainVersion(), copy.from(), copy.to());
    if (code == ErrorCode.OK && !(copy.update() instanceof Update.Replace)) {
      code = ErrorCode.INVALID_ARGUMENT;
    }
    if (code != ErrorCode.OK) {
      state.release(event.payload());
      answerCopy(event.request(), code, copy.version(), 0, 0);
      return;
    }
    ActiveChunk chunk = state.chunk(copy.chunk());
    if (passOver(chunk, copy.version())) {
      state.release(event.payload());
      ErrorCode held = holds(chunk, copy.version()) ? ErrorCode.OK : ErrorCode.CHUNK_BUSY;
      answerCopy(event.request(), held, copy.version(), 0, 0);
      state.retire(chunk);
    } else {
      install(event, chunk, copy);
    }
  }

  private boolean passOver(ActiveChunk chunk, ChunkVersion version) {
    if (!chunk.pending.isEmpty()) {
      return chunk.newest().compareTo(version) >= 0;
    }
    return chunk.committed.compareTo(version) > 0
        && chunk.committedChainVersion == state.chainVersion();
  }

  private static boolean holds(ActiveChunk chunk, ChunkVersion version) {
    return chunk.pending.isEmpty()
        || chunk.pending.stream()
            .anyMatch(update -> update.durable && update.version.compareTo(version) >= 0);
  }

  private void install(ChainEvent.ForwardArrived event, ActiveChunk chunk, ForwardRequest copy) {
    for (PendingUpdate update : chunk.pending) {
      path.forget(update, ErrorCode.CHUNK_BUSY);
    }
    chunk.pending.clear();
    chunk.committed = copy.version();
    chunk.committedChainVersion =
        copy.version().equals(ChunkVersion.NONE) ? 0 : copy.committedChainVersion().value();
    chunk.installing++;
    Update.Replace whole = (Update.Replace) copy.update();
    chunk.removed = whole.removed();
    state.emit(
        new ChainEffect.Install(
            event.request(),
            copy.chunk(),
            copy.version(),
            chunk.committedChainVersion,
            whole.removed(),
            whole.length(),
            copy.checksums(),
            event.payload()));
    installs.put(event.request(), new Install(chunk, copy.version(), event.payload()));
  }

  void installed(ChainEvent.InstallDurable event) {
    Install install = installs.remove(event.request());
    if (install == null) {
      return;
    }
    install.chunk().installing--;
    state.release(install.payload());
    answerCopy(
        event.request(), ErrorCode.OK, install.version(), event.chunkBytes(), event.checksum());
    state.retire(install.chunk());
  }

  /** The target failed. */
  void abandon(ErrorCode code) {
    installs.forEach((request, install) -> {
      state.release(install.payload());
      answerCopy(request, code, install.version(), 0, 0);
    });
    installs.clear();
  }

  private ErrorCode refusal(ChainVersion version, TargetId from, TargetId to) {
    ErrorCode code = state.compare(version);
    if (code != ErrorCode.OK || state.chain == null) {
      return code;
    }
    boolean fits =
        to.equals(state.self)
            && state.publicState() == PublicState.SYNCING
            && state.active()
            && state.chain.tail().filter(from::equals).isPresent();
    return fits ? ErrorCode.OK : ErrorCode.NOT_SERVING;
  }

  private void answer(long request, ErrorCode code) {
    state.emit(new ChainEffect.Answer(request, new SyncReply(code, state.chainVersion())));
  }

  private void answerCopy(
      long request, ErrorCode code, ChunkVersion version, int chunkBytes, int checksum) {
    state.emit(
        new ChainEffect.Answer(
            request, new UpdateReply(code, version, chunkBytes, checksum, state.chainVersion())));
  }
}
