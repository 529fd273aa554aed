package luciola.storage.engine;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/** Changes of records that bring no new bytes: commit marks, moves and forgetting. */
final class RecordChanges {
  private final ChunkStates states;
  private final CommitLoop loop;
  private final BlockStore blocks;

  RecordChanges(ChunkStates states, CommitLoop loop, BlockStore blocks) {
    this.states = states;
    this.loop = loop;
    this.blocks = blocks;
  }

  /** See {@link ChunkEngine#commit}. */
  void commit(ChunkKey chunk, ChunkVersion version, int chainVersion) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          Optional<ChunkRecord> after = VersionRules.committed(before, version, chainVersion);
          if (after.isPresent()) {
            states.change(chunk, after.get(), null);
            loop.put(
                CommitLoop.Item.of(
                    new ChunkChange(chunk, before, after.get()),
                    false,
                    failed -> states.settled(chunk, failed)));
          } else if (before.committedIfAny().filter(it -> it.version().equals(version)).isEmpty()) {
            throw new LuciolaException(
                ErrorCode.MISSING_UPDATE,
                "commit of a version that is not held: chunk=" + chunk + " version=" + version);
          }
          return true;
        });
  }

  /** See {@link ChunkEngine#forget}; on the chunk's writer lane. */
  void forget(ChunkKey chunk, CompletableFuture<Boolean> result) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          states.change(chunk, ChunkRecord.NONE, null);
          loop.put(
              CommitLoop.Item.of(
                  new ChunkChange(chunk, before, ChunkRecord.NONE),
                  true,
                  failed -> {
                    states.settled(chunk, failed);
                    complete(result, "forget: chunk=" + chunk, failed);
                  }));
          return true;
        });
  }

  /**
   * The bytes of one of a chunk's blocks are in another now, not flushed; the first is freed. If
   * nothing lies in the first any more, the second is. On the chunk's writer lane; completes when
   * that is durable.
   */
  CompletableFuture<Boolean> move(ChunkKey chunk, BlockRef from, BlockRef to) {
    var result = new CompletableFuture<Boolean>();
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          ChunkRecord after = VersionRules.moved(before, from, to);
          if (!after.blocks().contains(to)) {
            blocks.release(to);
            result.complete(false);
            return false;
          }
          states.change(chunk, after, null);
          loop.put(
              CommitLoop.Item.of(
                      new ChunkChange(chunk, before, after),
                      true,
                      failed -> {
                        states.settled(chunk, failed);
                        complete(result, "move: chunk=" + chunk, failed);
                      })
                  .touching(List.of(to)));
          return true;
        });
    return result;
  }

  /**
   * Bytes of some of a chunk's versions were written anew, not flushed, each to a block of its own.
   * On the chunk's writer lane, with every version durable.
   */
  void restored(ChunkKey chunk, Map<VersionRecord, BlockRef> to) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          ChunkRecord after = VersionRules.restored(before, to);
          List<BlockRef> named = VersionRules.named(before, after);
          to.values().stream().filter(block -> !named.contains(block)).forEach(blocks::release);
          if (!named.isEmpty()) {
            states.change(chunk, after, null);
            loop.put(
                CommitLoop.Item.of(
                        new ChunkChange(chunk, before, after),
                        true,
                        failed -> states.settled(chunk, failed))
                    .touching(named));
          }
          return true;
        });
  }

  static void complete(
      CompletableFuture<Boolean> result, String operation, @Nullable IOException failed) {
    if (failed == null) {
      result.complete(true);
    } else {
      result.completeExceptionally(new LuciolaException(ErrorCode.DISK_ERROR, operation, failed));
    }
  }
}
