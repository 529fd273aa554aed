package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import luciola.protocol.id.ChainId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.PendingEntry;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * What is known of each chunk now: the stored record, or, while changes of the chunk are on their
 * way to the disk, the record that will be stored. Changes of a chunk are made under its lock, in
 * the order in which they will be written. In memory are the chunks that change or have pending
 * versions, and within a bound of bytes the records used last.
 */
final class ChunkStates {
  private static final int STRIPES = 256;
  private static final int PAGE = 4096;

  private final ChunkIndex index;
  private final List<Stripe> stripes = new ArrayList<>(STRIPES);
  private final ConcurrentHashMap<ChunkKey, Live> live = new ConcurrentHashMap<>();
  private final ConcurrentSkipListSet<ChunkKey> pending = new ConcurrentSkipListSet<>();

  /**
   * Begins with what is stored.
   *
   * @param cacheBytes bound of the records kept in memory
   */
  ChunkStates(ChunkIndex index, long cacheBytes) {
    this.index = index;
    for (int i = 0; i < STRIPES; i++) {
      stripes.add(new Stripe(new ReentrantLock(), new RecordCache(cacheBytes / STRIPES)));
    }
    ChunkKey from = ChunkKey.first(new ChainId(1));
    List<PendingEntry> page = index.pending(from, PAGE);
    while (!page.isEmpty()) {
      page.forEach(each -> pending.add(each.chunk()));
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.pending(next.get(), PAGE) : List.of();
    }
  }

  /** Some of the chunks: a lock, and the records that were used last. */
  private record Stripe(ReentrantLock lock, RecordCache cache) {}

  private Stripe stripe(ChunkKey chunk) {
    return stripes.get(Math.floorMod(chunk.hashCode() * 0x9E3779B9, STRIPES));
  }

  /** Under the chunk's lock: what is stored. */
  private ChunkRecord stored(ChunkKey chunk) {
    RecordCache cache = stripe(chunk).cache();
    ChunkRecord known = cache.get(chunk);
    if (known == null) {
      known = index.chunk(chunk);
      cache.put(chunk, known);
    }
    return known;
  }

  /** A chunk whose changes are not all written. Guarded by the chunk's lock. */
  private static final class Live {
    ChunkRecord record = ChunkRecord.NONE;
    int unwritten;
    final Set<VersionRecord> undurable = Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** Runs under the chunk's lock: short, no waiting for the disk but a look into the index. */
  <T extends @Nullable Object> T locked(ChunkKey chunk, Supplier<T> action) {
    ReentrantLock lock = stripe(chunk).lock();
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  /** Whether what is known of a chunk is in memory. */
  boolean isAtHand(ChunkKey chunk) {
    return locked(chunk, () -> live.containsKey(chunk) || stripe(chunk).cache().get(chunk) != null);
  }

  /** What is known, what is still being written included. */
  ChunkRecord current(ChunkKey chunk) {
    return locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          return changing == null ? stored(chunk) : changing.record;
        });
  }

  /** What is known, without versions that are not durable yet. */
  ChunkRecord durable(ChunkKey chunk) {
    return locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          return changing == null ? stored(chunk) : durable(changing);
        });
  }

  /**
   * {@link #durable(ChunkKey)} for a record just read from the index. One with pending versions is
   * looked up again: they may have been discarded, and that written, since it was read. Who takes
   * stock of a replica must not hear of them then.
   */
  ChunkRecord durable(ChunkIndex.Entry stored) {
    boolean same = stored.record().pending().isEmpty() && !live.containsKey(stored.chunk());
    return same ? stored.record() : durable(stored.chunk());
  }

  private static ChunkRecord durable(Live changing) {
    if (changing.undurable.isEmpty()) {
      return changing.record;
    }
    VersionRecord committed = changing.record.committed();
    return new ChunkRecord(
        committed != null && changing.undurable.contains(committed) ? null : committed,
        changing.record.pending().stream()
            .filter(each -> !changing.undurable.contains(each))
            .toList());
  }

  /** Under the chunk's lock: the record that will be written next. */
  void change(ChunkKey chunk, ChunkRecord next, @Nullable VersionRecord undurable) {
    Live changing =
        live.computeIfAbsent(
            chunk,
            _ -> {
              var made = new Live();
              made.record = stored(chunk);
              return made;
            });
    if (next.pending().isEmpty()) {
      pending.remove(chunk);
    } else {
      pending.add(chunk);
    }
    changing.record = next;
    changing.unwritten++;
    if (undurable != null) {
      changing.undurable.add(undurable);
    }
  }

  /** A change that came without a new version was written, or failed. */
  void settled(ChunkKey chunk, @Nullable IOException failed) {
    if (failed == null) {
      written(chunk, null);
    }
  }

  /** A change was written; the version that came with it is durable now. */
  void written(ChunkKey chunk, @Nullable VersionRecord durable) {
    locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          if (changing != null) {
            changing.unwritten--;
            if (durable != null) {
              changing.undurable.remove(durable);
            }
            if (changing.unwritten == 0) {
              live.remove(chunk);
              stripe(chunk).cache().put(chunk, changing.record);
            }
          }
          return true;
        });
  }

  /**
   * What is known of a chunk, if every version of it is durable; nothing otherwise. On the chunk's
   * writer lane, where no new version comes meanwhile.
   */
  ChunkRecord movable(ChunkKey chunk) {
    return locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          if (changing == null) {
            return stored(chunk);
          }
          return changing.undurable.isEmpty() ? changing.record : ChunkRecord.NONE;
        });
  }

  /**
   * The committed version if nothing else is known of the chunk and it is durable; null otherwise.
   * Under the chunk's lock.
   */
  @Nullable VersionRecord settled(ChunkKey chunk) {
    Live changing = live.get(chunk);
    ChunkRecord record = changing == null ? stored(chunk) : changing.record;
    boolean undurable = changing != null && !changing.undurable.isEmpty();
    return undurable || !record.pending().isEmpty() ? null : record.committed();
  }

  /** Chunks with pending versions, those on their way to the disk included. */
  List<ChunkKey> pending(ChainId chain) {
    return pending.tailSet(ChunkKey.first(chain)).stream()
        .takeWhile(each -> each.chain().equals(chain))
        .toList();
  }

  /** Number of chunks with pending versions. */
  int pendingCount() {
    return pending.size();
  }

  /** Chunks from one on that are changing now. */
  Map<ChunkKey, ChunkRecord> changing(ChunkKey from) {
    var found = new TreeMap<ChunkKey, ChunkRecord>();
    for (ChunkKey each : live.keySet()) {
      if (each.compareTo(from) >= 0) {
        found.put(each, current(each));
      }
    }
    return found;
  }
}
