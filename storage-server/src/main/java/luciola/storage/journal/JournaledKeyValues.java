package luciola.storage.journal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.DirectBlockFile;
import luciola.storage.index.KeyValues;
import luciola.storage.index.RocksKeyValues;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values that are made durable by a {@link Journal} of their batches and lie in another
 * store, which writes them to its own files in its own time.
 *
 * <p>Batches are numbered, and each one writes its number to the store with it. After a crash the
 * store has some prefix of the batches and says how many; the journal has those after it, up to the
 * last that was flushed at least. The journal may also lack some that the store has: batches that
 * need not be durable yet wait in memory and go with the next one that must be.
 *
 * <p>Half of the journal at a time is given to the store to be made durable there, while the other
 * half is filled.
 */
public final class JournaledKeyValues implements KeyValues {
  private static final String FILE = "journal";
  private static final String STORE = "meta";
  private static final byte[] NUMBER_KEY = {'M', 'b', 'a', 't', 'c', 'h'};

  /** Most bytes that wait in memory. */
  private static final int WAITING_BYTES_MAX = 1 << 20;

  private final KeyValues store;
  private final Journal journal;
  private final boolean lazy;
  private final List<List<Change>> waiting = new ArrayList<>();
  private int waitingBytes;
  private MemorySegment buffer = JournalRecord.buffer(64 << 10);

  /** The last batch that was given a number, and the last one that is durable. */
  private long last;

  private long durable;

  /** The half that is not filled now is on its way to the store's files. */
  private @Nullable Syncing other;

  private @Nullable IOException broken;

  private JournaledKeyValues(KeyValues store, Journal journal, boolean lazy, long last) {
    this.store = store;
    this.journal = journal;
    this.lazy = lazy;
    this.last = last;
    this.durable = last;
  }

  /**
   * Opens the metadata of a target, making it if it is missing: a database in {@code meta} and the
   * file {@code journal}.
   *
   * @param cacheBytes bound of the database's cache
   * @param journalBytes of a new journal
   * @param lazy whether unsynced writes need not survive the process
   * @throws LuciolaException CORRUPT_DATA
   */
  public static JournaledKeyValues open(
      Path target, long cacheBytes, long journalBytes, boolean lazy) throws IOException {
    KeyValues store = RocksKeyValues.open(target.resolve(STORE), cacheBytes);
    try {
      return open(store, file(target), journalBytes, lazy);
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
  }

  private static BlockFile file(Path target) throws IOException {
    Path path = target.resolve(FILE);
    boolean made = !Files.exists(path);
    BlockFile file = DirectBlockFile.open(path);
    if (made) {
      try (FileChannel directory = FileChannel.open(target, StandardOpenOption.READ)) {
        directory.force(true);
      }
    }
    return file;
  }

  /**
   * Opens on given parts, which it closes then.
   *
   * @param journalBytes of a new journal
   * @param lazy whether unsynced writes need not survive the process
   * @throws LuciolaException CORRUPT_DATA
   */
  public static JournaledKeyValues open(
      KeyValues store, BlockFile file, long journalBytes, boolean lazy) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Journal.Contents contents = Journal.read(file, arena);
      BatchNumber stored = number(store, contents);
      long replayed =
          contents.replay(
              stored.batch(),
              (batch, number) -> {
                try {
                  store.write(numbered(batch, new BatchNumber(contents.salt(), number)), false);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      // Records after a gap are never asked for again: their numbers are used up.
      long last = Math.max(replayed, contents.last());
      if (last > stored.batch()) {
        store.write(numbered(List.of(), new BatchNumber(contents.salt(), last)), false);
        store.sync();
      }
      return new JournaledKeyValues(store, Journal.open(file, contents, journalBytes), lazy, last);
    } catch (UncheckedIOException e) {
      file.close();
      throw e.getCause();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /**
   * Opens the metadata of a target to be looked at: nothing of what is stored changes, and writing
   * fails.
   *
   * @param cacheBytes bound of the database's cache
   * @throws LuciolaException CORRUPT_DATA, also where there is none
   */
  public static KeyValues openToRead(Path target, long cacheBytes) throws IOException {
    KeyValues store = RocksKeyValues.openToRead(target.resolve(STORE), cacheBytes);
    Path path = target.resolve(FILE);
    if (!Files.exists(path)) {
      return store;
    }
    try (BlockFile file = DirectBlockFile.openToRead(path)) {
      return toRead(store, file);
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
  }

  static KeyValues toRead(KeyValues store, BlockFile file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Journal.Contents contents = Journal.read(file, arena);
      var overlay = new Overlay(store);
      contents.replay(number(store, contents).batch(), (batch, _) -> overlay.add(batch));
      return overlay;
    }
  }

  /**
   * Of a batch.
   *
   * @param salt of the journal that gave it
   */
  private record BatchNumber(long salt, long batch) {
    byte[] toBytes() {
      return ByteBuffer.allocate(2 * Long.BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(salt)
          .putLong(batch)
          .array();
    }

    static BatchNumber of(byte[] bytes) {
      if (bytes.length != 2 * Long.BYTES) {
        throw new LuciolaException(ErrorCode.CORRUPT_DATA, "metadata: bad number of a batch");
      }
      ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      return new BatchNumber(in.getLong(), in.getLong());
    }
  }

  /** Of the last batch that the store has. */
  private static BatchNumber number(KeyValues store, Journal.Contents contents) {
    Optional<BatchNumber> stored = store.get(NUMBER_KEY).map(BatchNumber::of);
    if (stored.isPresent() && (contents.isNew() || stored.get().salt() != contents.salt())) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          contents.isNew()
              ? "journal is missing: what was durable there is lost"
              : "journal is of another target");
    }
    return stored.orElse(new BatchNumber(contents.salt(), 0));
  }

  private static List<Change> numbered(List<Change> batch, BatchNumber number) {
    var all = new ArrayList<Change>(batch.size() + 1);
    all.addAll(batch);
    all.add(new Change(NUMBER_KEY, number.toBytes()));
    return all;
  }

  @Override
  public Optional<byte[]> get(byte[] key) {
    return store.get(key);
  }

  @Override
  public List<Pair> scan(byte[] from, byte[] to, int limit) {
    return store.scan(from, to, limit);
  }

  @Override
  public synchronized void write(List<Change> changes, boolean sync) throws IOException {
    checkWorks();
    try {
      last++;
      int bytes = JournalRecord.bytes(changes);
      if (JournalRecord.pageBytes(Math.addExact(waitingBytes, bytes)) > journal.recordBytesMax()) {
        writeAtOnce(changes);
        return;
      }
      waiting.add(List.copyOf(changes));
      waitingBytes += bytes;
      if (sync || !lazy || waitingBytes > WAITING_BYTES_MAX) {
        append();
      }
      if (sync) {
        journal.flush();
        durable = last;
      }
      store.write(numbered(changes, new BatchNumber(journal.salt(), last)), false);
    } catch (IOException | RuntimeException e) {
      broken = new IOException("metadata: an earlier write failed", e);
      throw e;
    }
  }

  private void checkWorks() throws IOException {
    if (broken != null) {
      throw broken;
    }
  }

  /** A batch that is longer than half of the journal. */
  private void writeAtOnce(List<Change> changes) throws IOException {
    store.write(numbered(changes, new BatchNumber(journal.salt(), last)), false);
    settle();
  }

  /** Everything is durable in the store. */
  private void settle() throws IOException {
    store.sync();
    other = null;
    waiting.clear();
    waitingBytes = 0;
    durable = last;
  }

  private void append() throws IOException {
    int bytes = JournalRecord.pageBytes(waitingBytes);
    if (!journal.hasRoomFor(bytes)) {
      turn();
    }
    if (buffer.byteSize() < bytes) {
      buffer = JournalRecord.buffer(bytes);
    }
    long first = last - waiting.size() + 1;
    journal.append(
        JournalRecord.encode(buffer, journal.salt(), first, durable, waiting, waitingBytes));
    waiting.clear();
    waitingBytes = 0;
  }

  private void turn() throws IOException {
    if (other != null) {
      other.await();
    }
    other = store.beginSync();
    journal.turn();
  }

  /** Makes everything durable in the store itself: the journal is not needed after this. */
  @Override
  public synchronized void sync() throws IOException {
    checkWorks();
    try {
      settle();
    } catch (IOException e) {
      broken = new IOException("metadata: an earlier write failed", e);
      throw e;
    }
  }

  @Override
  public synchronized void close() {
    store.close();
    try {
      journal.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
