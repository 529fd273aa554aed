package luciola.storage.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.Tombstone;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for tombstones of a chain and forgets them, as its replica decides. Belongs to the chain's
 * owner thread.
 */
final class ChainTombstones {
  private static final Logger log = LoggerFactory.getLogger(ChainTombstones.class);
  private static final int LOOKED_AT_MAX = 4096;

  private final ChainId chain;
  private final ChunkEngine engine;
  private final EngineView view;
  private final Executor readers;
  private final Executor owner;
  private final Consumer<ChainEvent> events;

  /**
   * @param owner runs things on the owner thread
   * @param events takes an event, on the owner thread
   */
  ChainTombstones(
      ChainId chain,
      ChunkEngine engine,
      EngineView view,
      Executor readers,
      Executor owner,
      Consumer<ChainEvent> events) {
    this.chain = chain;
    this.engine = engine;
    this.view = view;
    this.readers = readers;
    this.owner = owner;
    this.events = events;
  }

  void list(ChainEffect.ListTombstones list) {
    try {
      readers.execute(() -> {
        ChainEvent found = found(list);
        owner.execute(() -> events.accept(found));
      });
    } catch (RejectedExecutionException e) {
      log.debug("collection of tombstones ends with the server chain={}", chain);
    }
  }

  private ChainEvent found(ChainEffect.ListTombstones list) {
    try {
      return look(list);
    } catch (RuntimeException e) {
      log.warn("tombstones were not looked for chain={}", chain, e);
      return new ChainEvent.TombstonesListed(list.number(), List.of(), Optional.empty());
    }
  }

  private ChainEvent look(ChainEffect.ListTombstones list) {
    long now = engine.ageSeconds();
    var old = new ArrayList<RemovedChunk>();
    List<Tombstone> page = engine.chain(chain).tombstones(list.after(), LOOKED_AT_MAX);
    for (Tombstone each : page) {
      ChunkId chunk = each.chunk().chunk();
      if (now - each.sinceSeconds() >= list.keepSeconds()) {
        old.add(new RemovedChunk(chunk, each.version()));
        if (old.size() == list.limit()) {
          return new ChainEvent.TombstonesListed(list.number(), old, Optional.of(chunk));
        }
      }
    }
    Optional<ChunkId> after =
        page.size() < LOOKED_AT_MAX
            ? Optional.empty()
            : Optional.of(page.getLast().chunk().chunk());
    return new ChainEvent.TombstonesListed(list.number(), old, after);
  }

  void raise(ChainEffect.RaiseFloor raise) {
    var _ =
        engine
            .chain(chain)
            .raiseVersionFloor(raise.floor().value())
            .whenComplete((_, failure) ->
                owner.execute(() -> {
                  if (failure == null) {
                    view.raised(raise.floor());
                    events.accept(new ChainEvent.FloorDurable(raise.number()));
                  } else {
                    log.error("floor of versions not raised chain={}", chain, failure);
                  }
                }));
  }

  void forget(ChainEffect.Forget forget) {
    List<Tombstone> tombstones =
        forget.removed().stream()
            .map(each -> new Tombstone(new ChunkKey(chain, each.chunk()), each.version(), 0))
            .toList();
    var _ =
        engine
            .chain(chain)
            .collect(tombstones, view.versionFloor().value())
            .whenComplete((count, failure) ->
                owner.execute(() -> {
                  if (failure == null) {
                    if (count > 0) {
                      log.info("tombstones forgotten chain={} count={}", chain, count);
                    }
                    events.accept(new ChainEvent.Forgotten(forget.number(), count));
                  } else {
                    log.error("tombstones not forgotten chain={}", chain, failure);
                  }
                }));
  }
}
