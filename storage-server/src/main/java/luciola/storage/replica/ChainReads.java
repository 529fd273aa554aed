package luciola.storage.replica;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import luciola.protocol.connection.Call;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkListRequest;
import luciola.protocol.frame.FetchRequest;
import luciola.protocol.frame.InventoryReply;
import luciola.protocol.frame.InventoryRequest;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.chain.ChainEffect;
import luciola.storage.engine.ChainContents;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.HeldVersion;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;
import luciola.storage.peer.Peers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers what a replica has decided to serve, on the threads that read from disks. Whatever goes
 * wrong there, the caller gets an answer. Called on the chain's lane.
 */
final class ChainReads {
  private static final Logger log = LoggerFactory.getLogger(ChainReads.class);

  private final ChainId chain;
  private final ChunkEngine engine;
  private final Executor readers;

  ChainReads(ChainId chain, ChunkEngine engine, Executor readers) {
    this.chain = chain;
    this.engine = engine;
    this.readers = readers;
  }

  /**
   * A range of a read, from the version that was chosen; the version is held at once.
   *
   * @param leaseUntilNanos end of the lease under which it was chosen
   */
  void serve(ChainEffect.ServeRead read, ReadBatch.Slot slot, long leaseUntilNanos) {
    ReadRequest.Range range = read.range();
    if (read.version().equals(ChunkVersion.NONE)) {
      slot.failed(ErrorCode.CHUNK_NOT_FOUND);
      return;
    }
    HeldVersion held;
    try {
      held = engine.hold(new ChunkKey(chain, range.chunk()), read.version());
    } catch (RuntimeException e) {
      slot.failed(Peers.codeOf(e));
      return;
    }
    try {
      readers.execute(() -> slot.read(engine, held, range, leaseUntilNanos));
    } catch (RejectedExecutionException e) {
      held.close();
      slot.failed(ErrorCode.SHUTTING_DOWN);
    }
  }

  /** A range of a version for a repair elsewhere, whatever state this replica is in. Any thread. */
  void fetch(Call call, FetchRequest request, LongSupplier clock) {
    onReader(
        call,
        () -> {
          var key = new ChunkKey(chain, request.chunk());
          HeldVersion held = engine.hold(key, fetched(key, request.version()));
          if (request.offset() + request.length() > held.version().chunkBytes()) {
            held.close();
            call.fail(ErrorCode.CHUNK_NOT_FOUND);
            return;
          }
          var range =
              new ReadRequest.Range(
                  chain,
                  new ChainVersion(1),
                  request.target(),
                  request.chunk(),
                  request.offset(),
                  request.length());
          long noLeaseNeeded = clock.getAsLong() + Long.MAX_VALUE / 2;
          new ReadBatch.Slot(new ReadBatch(call, 1, clock), 0)
              .read(engine, held, range, noLeaseNeeded);
        });
  }

  /** The version that is meant: NONE stands for the committed one. */
  private ChunkVersion fetched(ChunkKey key, ChunkVersion version) {
    return version.equals(ChunkVersion.NONE)
        ? engine
            .chunk(key)
            .committedIfAny()
            .map(VersionRecord::version)
            .orElseThrow(
                () -> new LuciolaException(ErrorCode.CHUNK_NOT_FOUND, "fetch: chunk=" + key))
        : version;
  }

  void serve(ChainEffect.ServeList effect, Call call) {
    onReader(call, () -> list(effect.list(), call));
  }

  private void list(ChunkListRequest list, Call call) {
    List<ChunkListReply.Item> found =
        engine.chain(chain).chunks(list.inode(), list.first(), list.limit() + 1);
    boolean more = found.size() > list.limit();
    call.reply(
        new ChunkListReply(ErrorCode.OK, more ? found.subList(0, list.limit()) : found, more));
  }

  void serve(ChainEffect.ServeInventory effect, Call call) {
    onReader(call, () -> inventory(effect.inventory(), call));
  }

  private void inventory(InventoryRequest request, Call call) {
    ChainContents.Inventory page = engine.chain(chain).inventory(request.after(), request.limit());
    call.reply(new InventoryReply(ErrorCode.OK, page.chunks(), page.more()));
  }

  void store(ChainEffect.StoreDedup dedup, Call call) {
    var _ =
        engine
            .chain(chain)
            .putDedups(dedup.records())
            .whenComplete((_, failure) -> {
              if (failure == null) {
                call.reply(dedup.answer());
              } else {
                call.fail(Peers.codeOf(failure));
              }
            });
  }

  private void onReader(Call call, Runnable action) {
    Consumer<RuntimeException> failed =
        e -> {
          log.error("request failed chain={} request={}", chain, call.request(), e);
          call.fail(Peers.codeOf(e));
        };
    try {
      readers.execute(() -> {
        try {
          action.run();
        } catch (RuntimeException e) {
          failed.accept(e);
        }
      });
    } catch (RejectedExecutionException e) {
      call.fail(ErrorCode.SHUTTING_DOWN);
    }
  }
}
