package luciola.storage.engine;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.storage.index.ChainTotals;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.Tombstone;

/**
 * What a target holds of one chain: its chunks, the tombstones among them, the last update of each
 * client channel, and the floor of its versions. A view that keeps nothing of its own; any thread.
 */
public final class ChainContents {
  private final ChainId chain;
  private final ChunkStates states;
  private final ChunkLists lists;
  private final DedupStore dedups;
  private final Tombstones tombstones;
  private final ChainDrop drop;
  private final Ledger ledger;

  ChainContents(
      ChainId chain,
      ChunkStates states,
      ChunkLists lists,
      DedupStore dedups,
      Tombstones tombstones,
      ChainDrop drop,
      Ledger ledger) {
    this.chain = chain;
    this.states = states;
    this.lists = lists;
    this.dedups = dedups;
    this.tombstones = tombstones;
    this.drop = drop;
    this.ledger = ledger;
  }

  /** Whether nothing is stored: neither chunk nor tombstone nor dedup record. */
  public boolean isEmpty() {
    return inventory(Optional.empty(), 1).chunks().isEmpty()
        && dedups(Optional.empty(), 1).isEmpty();
  }

  /** Counts, bytes and the floor of versions; as of what was written last. */
  public ChainTotals totals() {
    return ledger.totals(chain);
  }

  /** Chunks with pending versions, some of which may not be durable yet. */
  public List<ChunkKey> pendingChunks() {
    return states.pending(chain);
  }

  /** A page of chunks. */
  public record Inventory(List<ChunkSummary> chunks, boolean more) {
    public Inventory {
      chunks = List.copyOf(chunks);
    }
  }

  /** Chunks durably held after one, tombstones included, in order of their ids. */
  public Inventory inventory(Optional<ChunkId> after, int limit) {
    return lists.inventory(chain, after, limit);
  }

  /**
   * Existing chunks of a file from an index on; pending versions count as done, those on their way
   * to the disk included.
   */
  public List<ChunkListReply.Item> chunks(InodeId inode, int first, int limit) {
    return lists.chunks(chain, inode, first, limit);
  }

  /** The last update of a client's channel, if it is durable here. */
  public Optional<DedupRecord> dedup(ClientId client, int channel) {
    return dedups.find(chain, client, channel);
  }

  /** Dedup records after one, in a fixed order. */
  public List<DedupRecord> dedups(Optional<UpdateTag> after, int limit) {
    return dedups.list(chain, after, limit);
  }

  /** Stores dedup records of another replica; older ones than those held are left out. */
  public CompletableFuture<Boolean> putDedups(List<DedupRecord> records) {
    return dedups.put(chain, records);
  }

  /**
   * Forgets some dedup records that were last written so long ago or longer, by the target's own
   * age: time during which it was closed does not count, and no clock can be set.
   */
  public CompletableFuture<Boolean> expireDedups(long keepSeconds, int limit) {
    return dedups.expire(chain, keepSeconds, limit);
  }

  /** Chunks whose committed version is a removal, after one, in order of their ids. */
  public List<Tombstone> tombstones(Optional<ChunkId> after, int limit) {
    return tombstones.list(chain, after, limit);
  }

  /**
   * Forgets tombstones that are still as given, with nothing pending and nothing on its way, and
   * before that raises the floor of versions. The future completes with the number forgotten when
   * that is durable.
   */
  public CompletableFuture<Integer> collect(List<Tombstone> removed, long versionFloor) {
    return tombstones.collect(chain, removed, versionFloor);
  }

  /** Raises the floor of versions, durably; it never sinks. */
  public CompletableFuture<Boolean> raiseVersionFloor(long version) {
    return tombstones.raiseFloor(chain, version);
  }

  /**
   * Removes some of what is held of a chain that this target has left: nothing may be staged for it
   * any more. To be called again until the future, which completes when that step is durable, says
   * true: nothing is left. May be begun again after a crash.
   */
  public CompletableFuture<Boolean> drop(int limit) {
    return drop.step(chain, limit);
  }
}
