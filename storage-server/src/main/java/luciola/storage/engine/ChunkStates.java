package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import luciola.protocol.id.ChainId;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * What is known of each chunk now: the stored record, or, while changes of the chunk are on their
 * way to the disk, the record that will be stored. Changes of a chunk are made under its lock, in
 * the order in which they will be written.
 */
final class ChunkStates {
  private static final int STRIPES = 256;

  private final ChunkIndex index;
  private final List<ReentrantLock> stripes = new ArrayList<>(STRIPES);
  private final ConcurrentHashMap<ChunkKey, Live> live = new ConcurrentHashMap<>();
  private final ConcurrentSkipListSet<ChunkKey> pending = new ConcurrentSkipListSet<>();
  private final AtomicLong existing = new AtomicLong();

  ChunkStates(ChunkIndex index) {
    this.index = index;
    for (int i = 0; i < STRIPES; i++) {
      stripes.add(new ReentrantLock());
    }
  }

  /** A chunk whose changes are not all written. Guarded by the chunk's lock. */
  private static final class Live {
    ChunkRecord record = ChunkRecord.NONE;
    int unwritten;
    final Set<VersionRecord> undurable = Collections.newSetFromMap(new IdentityHashMap<>());
  }

  /** Runs under the chunk's lock: short, no waiting for the disk but a look into the index. */
  <T> T locked(ChunkKey chunk, Supplier<T> action) {
    ReentrantLock lock = stripes.get(Math.floorMod(chunk.hashCode() * 0x9E3779B9, STRIPES));
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  /** What is known, what is still being written included. */
  ChunkRecord current(ChunkKey chunk) {
    return locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          return changing == null ? index.chunk(chunk) : changing.record;
        });
  }

  /** What is known, without versions that are not durable yet. */
  ChunkRecord durable(ChunkKey chunk) {
    return locked(
        chunk,
        () -> {
          Live changing = live.get(chunk);
          return changing == null ? index.chunk(chunk) : durable(changing);
        });
  }

  /** {@link #durable(ChunkKey)} for a record just read from the index. */
  ChunkRecord durable(ChunkIndex.Entry stored) {
    return live.containsKey(stored.chunk()) ? durable(stored.chunk()) : stored.record();
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
              made.record = index.chunk(chunk);
              return made;
            });
    count(chunk, changing.record, next);
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
            }
          }
          return true;
        });
  }

  private void count(ChunkKey chunk, ChunkRecord before, ChunkRecord after) {
    if (after.pending().isEmpty()) {
      pending.remove(chunk);
    } else {
      pending.add(chunk);
    }
    existing.addAndGet((after.exists() ? 1 : 0) - (before.exists() ? 1 : 0));
  }

  /** At open: counts a stored chunk. */
  void restore(ChunkIndex.Entry stored) {
    count(stored.chunk(), ChunkRecord.NONE, stored.record());
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

  /** Chunks that exist. */
  long existing() {
    return existing.get();
  }
}
