package luciola.meta.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Short reads show one state, and the newest, however few places the cache has. */
class ShortReadTest {
  private static final int ROWS = 24;
  private static final int READERS = 3;
  private static final int CHANGES = 4_000;

  @TempDir Path directory;

  private static byte[] key(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  private static long value(KeyValueView view, int row) {
    byte[] bytes = view.get(Family.INODE, key(row));
    return bytes == null ? -1 : ByteBuffer.wrap(bytes).getLong();
  }

  private static long value(RocksStore store, int row) {
    return store.readShortly(view -> value(view, row));
  }

  /** Puts the same number under every row; row 0 is missing where it is odd. */
  private static void change(RocksStore store, long number) {
    store.change(
        new RocksStore.Position(1, number),
        staged -> {
          for (int row = 1; row < ROWS; row++) {
            staged.put(Family.INODE, key(row), key(number));
          }
          if (number % 2 == 0) {
            staged.put(Family.INODE, key(0), key(number));
          } else {
            staged.delete(Family.INODE, key(0));
          }
          return true;
        });
  }

  @Test
  void rowsOfOneChangeAreSeenTogetherAndInOrder() throws Exception {
    // So few places that rows keep taking them from each other.
    for (long cacheBytes : new long[] {1 << 12, 1 << 20}) {
      Path path = directory.resolve("of-" + cacheBytes);
      try (RocksStore store = RocksStore.open(path, cacheBytes);
          var threads = Executors.newFixedThreadPool(READERS)) {
        change(store, 0);
        var done = new AtomicBoolean();
        var written = new AtomicLong();
        List<Future<Long>> readers = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
          readers.add(threads.submit(reader(store, i, written, done)));
        }
        for (long number = 1; number <= CHANGES; number++) {
          change(store, number);
          written.set(number);
        }
        done.set(true);
        for (Future<Long> reader : readers) {
          assertTrue(reader.get() > 0);
        }
        assertEquals(CHANGES, value(store, 1));
      }
    }
  }

  private static Callable<Long> reader(
      RocksStore store, int seed, AtomicLong written, AtomicBoolean done) {
    return () -> {
      var random = new SplittableRandom(seed);
      long reads = 0;
      while (!done.get() || reads == 0) {
        long atLeast = written.get();
        int row = 1 + random.nextInt(ROWS - 1);
        int other = 1 + random.nextInt(ROWS - 1);
        long[] seen =
            store.readShortly(
                view -> new long[] {value(view, row), value(view, 0), value(view, other)});
        assertEquals(seen[0], seen[2], "rows of one change");
        assertEquals(seen[0] % 2 == 0 ? seen[0] : -1, seen[1], "a row that comes and goes");
        assertTrue(seen[0] >= atLeast, "an old state: " + seen[0] + " after " + atLeast);
        reads++;
      }
      return reads;
    };
  }

  @Test
  void whatWasReadBeforeAWriteIsNotFilledInAfterIt() {
    var cache = new RowCache(8);
    int place = cache.place(Family.INODE, key(1));
    var newer = new RowCache.Row(Family.INODE, key(1), key(11));
    KeyValueView writtenMeanwhile =
        reading(() -> {
          cache.written(newer);
          return key(10);
        });
    assertArrayEquals(key(10), new LatestView(writtenMeanwhile, cache).get(Family.INODE, key(1)));
    assertSame(newer, cache.at(place));
  }

  private static KeyValueView reading(Supplier<byte[]> read) {
    return new KeyValueView() {
      @Override
      public byte[] get(Family family, byte[] key) {
        return read.get();
      }

      @Override
      public void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor) {
        throw new UnsupportedOperationException();
      }
    };
  }

  @Test
  void whatIsMissingIsRememberedUntilItIsThere() {
    try (RocksStore store = RocksStore.open(directory, 1 << 20)) {
      assertEquals(-1, value(store, 7));
      assertEquals(-1, value(store, 7));
      store.change(
          new RocksStore.Position(1, 1),
          staged -> {
            staged.put(Family.INODE, key(7), key(1));
            return true;
          });
      assertEquals(1, value(store, 7));
    }
  }

  @Test
  void aCheckpointThatReplacesEverythingReplacesWhatWasRemembered() {
    try (RocksStore store = RocksStore.open(directory.resolve("db"), 1 << 20)) {
      change(store, 2);
      store.checkpoint(directory.resolve("copy"));
      change(store, 4);
      assertEquals(4, value(store, 3));
      store.restore(directory.resolve("copy"));
      assertEquals(2, value(store, 3));
    }
  }

  @Test
  void aFaultOfTheReaderIsPassedOn() {
    try (RocksStore store = RocksStore.open(directory, 1 << 20)) {
      assertThrows(
          IllegalStateException.class,
          () ->
              store.readShortly(view -> {
                throw new IllegalStateException("of the reader");
              }));
    }
  }
}
