package luciola.storage.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.Tombstone;
import luciola.storage.index.VersionRecord;

/**
 * Removed chunks, and how they are forgotten for good. When one may be is the chain's to say; that
 * numbers of versions do not begin again below one that was seen is what the floor is for.
 */
final class Tombstones {
  private final ChunkIndex index;
  private final ChunkStates states;
  private final CommitLoop loop;
  private final Staging staging;
  private final RecordChanges changes;

  Tombstones(
      ChunkIndex index,
      ChunkStates states,
      CommitLoop loop,
      Staging staging,
      RecordChanges changes) {
    this.index = index;
    this.states = states;
    this.loop = loop;
    this.staging = staging;
    this.changes = changes;
  }

  /** See {@link ChainContents#tombstones}. */
  List<Tombstone> list(ChainId chain, Optional<ChunkId> after, int limit) {
    Optional<ChunkKey> from =
        after.isPresent()
            ? new ChunkKey(chain, after.get()).next()
            : Optional.of(ChunkKey.first(chain));
    return from.map(first -> index.tombstones(first, limit)).orElse(List.of());
  }

  /** See {@link ChainContents#raiseVersionFloor}. */
  CompletableFuture<Boolean> raiseFloor(ChainId chain, long version) {
    var result = new CompletableFuture<Boolean>();
    loop.put(
        CommitLoop.Item.of(
            new Ledger.Note.Floor(chain, version),
            failed -> RecordChanges.complete(result, "raise floor: chain=" + chain, failed)));
    return result;
  }

  /**
   * See {@link ChainContents#collect}. The floor goes first: no crash leaves a chunk forgotten and
   * the floor low.
   */
  CompletableFuture<Integer> collect(ChainId chain, List<Tombstone> removed, long floor) {
    CompletableFuture<Boolean> raised = raiseFloor(chain, floor);
    var forgotten = new ArrayList<CompletableFuture<Boolean>>();
    for (Tombstone each : removed) {
      var done = new CompletableFuture<Boolean>();
      boolean same =
          states.locked(
              each.chunk(),
              () -> {
                boolean settled = isSettled(each);
                if (settled) {
                  changes.forget(each.chunk(), done);
                }
                return settled;
              });
      if (same) {
        forgotten.add(done);
      }
    }
    return CompletableFuture.allOf(forgotten.toArray(CompletableFuture[]::new))
        .thenCombine(raised, (_, _) -> forgotten.size());
  }

  private boolean isSettled(Tombstone tombstone) {
    ChunkRecord record = states.current(tombstone.chunk());
    VersionRecord committed = record.committed();
    return committed != null
        && committed.removed()
        && committed.version().equals(tombstone.version())
        && record.pending().isEmpty()
        && !staging.isStaging(tombstone.chunk());
  }
}
