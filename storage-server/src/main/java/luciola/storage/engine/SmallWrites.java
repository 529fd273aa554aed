package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.SmallBytes;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of small updates that are durable in the metadata while their blocks are not flushed yet: a
 * small update then costs one flush, that of the metadata, and not two one after the other.
 *
 * <p>The bytes go to the block through the page cache and, in the batch that names them, to the
 * metadata. They leave it when the block's file has been flushed since; when the block is freed;
 * and when something else is written to that place. Each time in the very batch that makes it so:
 * what survives a crash is a prefix of the batches, so {@link #replay} puts into each place what
 * belongs there.
 *
 * <p>Belongs to the commit loop.
 */
final class SmallWrites {
  /** Most bytes of one update that go this way: a large one would be written twice for nothing. */
  static final int BYTES_MAX = 64 << 10;

  /** Most bytes of one batch that go this way: more are flushed faster than written twice. */
  static final long BATCH_BYTES_MAX = 1 << 20;

  /** Most bytes that are kept; then the files are flushed. */
  private static final long KEPT_BYTES_MAX = 8 << 20;

  private static final int PAGE = 1024;

  private final BlockStore blocks;
  private final TreeMap<SmallBytes.Place, Integer> kept = new TreeMap<>();
  private final LinkedHashMap<SmallBytes.Place, byte @Nullable []> changes = new LinkedHashMap<>();
  private long keptBytes;

  SmallWrites(BlockStore blocks) {
    this.blocks = blocks;
  }

  /** Puts the bytes that the metadata keeps into their blocks, flushed. Before anything is read. */
  static void replay(ChunkIndex index, BlockStore blocks) throws IOException {
    List<SmallBytes> page = index.smallBytes(PAGE);
    while (!page.isEmpty()) {
      Set<BlockFile> written = new LinkedHashSet<>();
      try (Arena arena = Arena.ofConfined()) {
        for (SmallBytes each : page) {
          BlockFile file = blocks.file(each.place().blockClass());
          MemorySegment bytes = arena.allocate(each.bytes().length, BlockClass.PAGE_BYTES);
          file.write(each.place().position(), bytes.copyFrom(MemorySegment.ofArray(each.bytes())));
          written.add(file);
        }
      }
      for (BlockFile file : written) {
        file.flush();
      }
      index.forgetSmallBytes(page.stream().map(SmallBytes::place).toList());
      page = index.smallBytes(PAGE);
    }
  }

  /** The next batch keeps these bytes. */
  void keep(SmallBytes small) {
    int length = small.bytes().length;
    forget(small.place().blockClass(), small.place().position(), length);
    kept.put(small.place(), length);
    keptBytes += length;
    changes.put(small.place(), small.bytes());
  }

  /** The next batch frees a block. */
  void freed(BlockRef block) {
    forget(block.blockClass(), block.position(), block.blockClass().blockBytes());
  }

  /** A file was flushed after everything of the batches before and of the next one was written. */
  void flushed(BlockClass blockClass) {
    forget(blockClass, 0, Long.MAX_VALUE);
  }

  private void forget(BlockClass blockClass, long position, long length) {
    var from = new SmallBytes.Place(blockClass, position);
    var to = new SmallBytes.Place(blockClass, position + length);
    Map<SmallBytes.Place, Integer> gone = kept.subMap(from, to);
    for (Map.Entry<SmallBytes.Place, Integer> each : gone.entrySet()) {
      keptBytes -= each.getValue();
      changes.put(each.getKey(), null);
    }
    gone.clear();
  }

  /** Whether there is nothing that waits for a flush of its file. */
  boolean isEmpty() {
    return kept.isEmpty();
  }

  /** Whether so much is kept that the files should be flushed. */
  boolean isFull() {
    return keptBytes > KEPT_BYTES_MAX;
  }

  /** Flushes every file that something is kept of. */
  void flushAll() throws IOException {
    Set<BlockClass> classes = new LinkedHashSet<>();
    kept.keySet().forEach(place -> classes.add(place.blockClass()));
    for (BlockClass each : classes) {
      blocks.file(each).flush();
      flushed(each);
    }
  }

  /** What the next batch changes; asked for once for each batch. */
  Map<SmallBytes.Place, byte @Nullable []> takeChanges() {
    Map<SmallBytes.Place, byte @Nullable []> taken = new LinkedHashMap<>(changes);
    changes.clear();
    return taken;
  }
}
