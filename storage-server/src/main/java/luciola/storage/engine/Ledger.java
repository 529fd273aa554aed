package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.GroupImage;
import luciola.storage.index.Bookkeeping;
import luciola.storage.index.ChainTotals;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.PendingEntry;
import luciola.storage.index.TargetTotals;
import luciola.storage.index.Tombstone;
import org.jspecify.annotations.Nullable;

/**
 * What is kept beside the records so that opening a target does not read them: which blocks they
 * name, which chunks have pending versions, which are removed, and totals. Every batch carries what
 * its changes do to these, so after any crash they fit the records that survived with them.
 *
 * <p>Written by the commit loop; totals may be read by anyone.
 */
final class Ledger {
  private static final int PAGE = 4096;
  private static final long SECOND_NANOS = 1_000_000_000;

  private final BlockStore blocks;
  private final LongSupplier nanos;
  private final long openedNanos;
  private final long openedSeconds;
  private final Map<ChainId, ChainTotals> chains = new ConcurrentHashMap<>();
  private TargetTotals totals;

  private Ledger(ChunkIndex index, BlockStore blocks, LongSupplier nanos) {
    this.blocks = blocks;
    this.nanos = nanos;
    this.totals = index.totals();
    this.openedNanos = nanos.getAsLong();
    this.openedSeconds = totals.ageSeconds();
    index.chains().forEach(each -> chains.put(each.chain(), each));
  }

  /**
   * Reads it, and gives the block store what it says.
   *
   * @throws LuciolaException CORRUPT_DATA if the parts do not fit each other
   */
  static Ledger open(ChunkIndex index, BlockStore blocks, LongSupplier nanos) throws IOException {
    var ledger = new Ledger(index, blocks, nanos);
    for (int number = 0; number < BlockClass.COUNT; number++) {
      ledger.restore(index, new BlockClass(number));
    }
    blocks.finishRestore();
    return ledger;
  }

  private void restore(ChunkIndex index, BlockClass blockClass) {
    long count = 0;
    List<GroupImage> page = index.groups(blockClass, 0, PAGE);
    while (!page.isEmpty()) {
      for (GroupImage group : page) {
        blocks.restore(group);
        count += group.count();
      }
      page = index.groups(blockClass, page.getLast().group() + 1, PAGE);
    }
    long expected = totals.blocks()[blockClass.number()];
    if (count != expected) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "groups of blocks do not fit their count: class="
              + blockClass.number()
              + " blocks="
              + count
              + " expected="
              + expected);
    }
  }

  /** How long this target was open since it was made: never goes back, and nobody can set it. */
  long ageSeconds() {
    return openedSeconds + (nanos.getAsLong() - openedNanos) / SECOND_NANOS;
  }

  ChainTotals totals(ChainId chain) {
    return chains.getOrDefault(chain, ChainTotals.none(chain));
  }

  /** Chunks that exist, those counted whose record was written. */
  long chunks() {
    return chains.values().stream().mapToLong(ChainTotals::chunks).sum();
  }

  /** Something to be noted of a chain. */
  sealed interface Note {
    ChainId chain();

    /** No version up to this is given to an unknown chunk any more. */
    record Floor(ChainId chain, long version) implements Note {}

    /** Nothing of it is left. */
    record Gone(ChainId chain) implements Note {}
  }

  /** Number of the next batch. */
  long nextBatch() {
    return totals.sequence() + 1;
  }

  /** Bytes of versions that batches up to this one wrote are durable. */
  long flushed() {
    return totals.flushed();
  }

  /**
   * The books of the next batch.
   *
   * @param flushed bytes of versions of batches up to this one are durable when it is written
   */
  Bookkeeping book(List<ChunkChange> changes, List<Note> notes, long flushed) {
    var page = new Page(nextBatch(), ageSeconds(), totals.blocks().clone());
    changes.forEach(page::add);
    notes.forEach(page::add);
    totals = new TargetTotals(page.age, page.batch, flushed, page.counts);
    return page.books(totals);
  }

  /** One batch. */
  private final class Page {
    final long batch;
    final long age;
    final long[] counts;
    private final Map<Place, GroupImage> groups = new LinkedHashMap<>();
    private final Map<ChunkKey, Optional<PendingEntry>> pending = new LinkedHashMap<>();
    private final Map<ChunkKey, Optional<Tombstone>> tombstones = new LinkedHashMap<>();
    private final Map<ChainId, Optional<ChainTotals>> changed = new LinkedHashMap<>();

    private record Place(BlockClass blockClass, int group) {}

    Page(long batch, long age, long[] counts) {
      this.batch = batch;
      this.age = age;
      this.counts = counts;
    }

    void add(ChunkChange change) {
      change.named().forEach(block -> name(block, true));
      change.freed().forEach(block -> name(block, false));
      notePending(change);
      noteTombstone(change);
      ChainId chain = change.chunk().chain();
      put(totals(chain).changed(change.before(), change.after()));
    }

    void add(Note note) {
      switch (note) {
        case Note.Floor floor -> put(totals(floor.chain()).raised(floor.version()));
        case Note.Gone gone -> {
          chains.remove(gone.chain());
          changed.put(gone.chain(), Optional.empty());
        }
      }
    }

    private void put(ChainTotals next) {
      chains.put(next.chain(), next);
      changed.put(next.chain(), Optional.of(next));
    }

    private void name(BlockRef block, boolean on) {
      GroupImage image = blocks.name(block, on);
      groups.put(new Place(image.blockClass(), image.group()), image);
      counts[block.blockClass().number()] += on ? 1 : -1;
    }

    private void notePending(ChunkChange change) {
      ChunkKey chunk = change.chunk();
      if (change.after().pending().isEmpty()) {
        if (!change.before().pending().isEmpty()) {
          pending.put(chunk, Optional.empty());
        }
        return;
      }
      Optional<PendingEntry> noted = pending.getOrDefault(chunk, Optional.empty());
      change.after().pending().stream()
          .filter(each -> !change.before().pending().contains(each))
          .findFirst()
          .filter(first -> noted.isEmpty() || first.version().compareTo(noted.get().from()) < 0)
          .ifPresent(first ->
              pending.put(chunk, Optional.of(new PendingEntry(chunk, batch, first.version()))));
    }

    private void noteTombstone(ChunkChange change) {
      ChunkKey chunk = change.chunk();
      @Nullable Tombstone before = tombstone(chunk, change.before());
      @Nullable Tombstone after = tombstone(chunk, change.after());
      if (after != null && (before == null || !before.version().equals(after.version()))) {
        tombstones.put(chunk, Optional.of(after));
      } else if (after == null && before != null) {
        tombstones.put(chunk, Optional.empty());
      }
    }

    private @Nullable Tombstone tombstone(ChunkKey chunk, ChunkRecord record) {
      var committed = record.committed();
      return committed != null && committed.removed()
          ? new Tombstone(chunk, committed.version(), age)
          : null;
    }

    Bookkeeping books(TargetTotals target) {
      return new Bookkeeping(
          List.copyOf(groups.values()),
          present(pending),
          absent(pending),
          present(tombstones),
          absent(tombstones),
          present(changed),
          absent(changed),
          Optional.of(target));
    }

    private static <K, V> List<V> present(Map<K, Optional<V>> map) {
      return map.values().stream().flatMap(Optional::stream).toList();
    }

    private static <K, V> List<K> absent(Map<K, Optional<V>> map) {
      var keys = new ArrayList<K>();
      map.forEach((key, value) -> {
        if (value.isEmpty()) {
          keys.add(key);
        }
      });
      return keys;
    }
  }
}
