package luciola.storage.replica;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkUpdate;
import luciola.storage.engine.Staged;
import luciola.storage.index.ChunkKey;
import luciola.storage.peer.Peers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what a replica wants written to the engine, and the engine's notices back. Belongs to the
 * chain's lane.
 */
final class ChainWrites {
  private static final Logger log = LoggerFactory.getLogger(ChainWrites.class);

  private final ChainId chain;
  private final ChunkEngine engine;
  private final EngineView view;
  private final OpenWork work;
  private final Executor owner;
  private final Executor light;
  private final Consumer<ChainEvent> events;

  /**
   * @param owner runs things in the lane
   * @param light the same for what is short
   * @param events takes an event, in the lane
   */
  ChainWrites(
      ChainId chain,
      ChunkEngine engine,
      EngineView view,
      OpenWork work,
      Executor owner,
      Executor light,
      Consumer<ChainEvent> events) {
    this.chain = chain;
    this.engine = engine;
    this.view = view;
    this.work = work;
    this.owner = owner;
    this.light = light;
    this.events = events;
  }

  private ChunkKey key(ChunkId chunk) {
    return new ChunkKey(chain, chunk);
  }

  void commit(ChainEffect.Commit commit) {
    engine.commit(key(commit.chunk()), commit.version(), commit.chainVersion().value());
  }

  void discard(ChainEffect.Discard discard) {
    view.discarded(discard.chunk(), discard.from());
    engine.discard(key(discard.chunk()), discard.from());
  }

  void stage(ChainEffect.Stage stage) {
    long number = work.nextNumber();
    PayloadBuffer buffer = work.payload(stage.payload()).retain();
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
              // A change of threads costs more than what is to be done.
              Executor next = staged != null && staged.lone() ? light : owner;
              next.execute(() -> staged(stage, number, staged, failure));
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
      events.accept(
          new ChainEvent.LocalDurable(
              stage.chunk(),
              stage.version(),
              removes(stage.update()),
              staged.chunkBytes(),
              staged.checksum()));
    } else {
      failed(stage.chunk(), stage.version(), failure);
    }
  }

  private static boolean removes(Update update) {
    return update instanceof Update.Remove
        || (update instanceof Update.Replace whole && whole.removed());
  }

  private void failed(ChunkId chunk, ChunkVersion version, @Nullable Throwable failure) {
    ErrorCode code = failure == null ? ErrorCode.INTERNAL : Peers.codeOf(failure);
    log.error("write failed chunk={} version={} code={}", key(chunk), version, code, failure);
    ErrorCode told =
        switch (code) {
          case NO_SPACE, CHECKSUM_MISMATCH -> code;
          default -> ErrorCode.DISK_ERROR;
        };
    events.accept(new ChainEvent.LocalFailed(chunk, version, told));
  }

  void install(ChainEffect.Install install) {
    if (install.version().equals(ChunkVersion.NONE)) {
      var _ =
          engine
              .forget(key(install.chunk()))
              .whenComplete((_, failure) ->
                  owner.execute(() ->
                      installed(install, new Staged(install.version(), 0, 0, false), failure)));
      return;
    }
    PayloadBuffer buffer = work.payload(install.payload()).retain();
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
              owner.execute(() -> installed(install, staged, failure));
            });
  }

  private void installed(
      ChainEffect.Install install, @Nullable Staged staged, @Nullable Throwable failure) {
    if (failure != null || staged == null) {
      failed(install.chunk(), install.version(), failure);
    } else {
      events.accept(
          new ChainEvent.InstallDurable(
              install.request(), install.chunk(), staged.chunkBytes(), staged.checksum()));
    }
  }
}
