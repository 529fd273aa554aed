package luciola.storage.engine;

import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import luciola.protocol.id.ChainId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;

/**
 * Removes a chain that moved away: first its chunks, then its dedup records, last its totals, a
 * bounded number at a time. It keeps no place of its own: after a crash it goes on with what is
 * left.
 */
final class ChainDrop {
  private final ChunkIndex index;
  private final ChunkStates states;
  private final Staging staging;
  private final CommitLoop loop;
  private final DedupStore dedups;
  private final Function<ChunkKey, CompletableFuture<Boolean>> forget;

  ChainDrop(
      ChunkIndex index,
      ChunkStates states,
      Staging staging,
      CommitLoop loop,
      DedupStore dedups,
      Function<ChunkKey, CompletableFuture<Boolean>> forget) {
    this.index = index;
    this.states = states;
    this.staging = staging;
    this.loop = loop;
    this.dedups = dedups;
    this.forget = forget;
  }

  /** See {@link ChainContents#drop}. */
  CompletableFuture<Boolean> step(ChainId chain, int limit) {
    Set<ChunkKey> some = someChunks(chain, limit);
    if (!some.isEmpty()) {
      return CompletableFuture.allOf(some.stream().map(forget).toArray(CompletableFuture[]::new))
          .thenApply(_ -> false);
    }
    return dedups
        .forgetSome(chain, limit)
        .thenCompose(any -> any ? CompletableFuture.completedFuture(false) : finish(chain))
        .thenApply(done -> done && isEmpty(chain));
  }

  private Set<ChunkKey> someChunks(ChainId chain, int limit) {
    var some = new LinkedHashSet<ChunkKey>();
    index.chunks(ChunkKey.first(chain), limit).stream()
        .map(ChunkIndex.Entry::chunk)
        .filter(chunk -> chunk.chain().equals(chain))
        .forEach(some::add);
    states.changing(ChunkKey.first(chain)).keySet().stream()
        .filter(chunk -> chunk.chain().equals(chain))
        .limit(limit - some.size())
        .forEach(some::add);
    staging.chunks(chain).stream().limit(limit - some.size()).forEach(some::add);
    return some;
  }

  /** Something may have been on its way to the disk when it was looked for. */
  private boolean isEmpty(ChainId chain) {
    return someChunks(chain, 1).isEmpty() && dedups.list(chain, Optional.empty(), 1).isEmpty();
  }

  private CompletableFuture<Boolean> finish(ChainId chain) {
    var result = new CompletableFuture<Boolean>();
    loop.put(
        CommitLoop.Item.of(
            new Ledger.Note.Gone(chain),
            failed -> RecordChanges.complete(result, "drop: chain=" + chain, failed)));
    return result;
  }
}
