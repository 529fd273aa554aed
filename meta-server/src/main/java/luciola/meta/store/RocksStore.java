package luciola.meta.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import java.util.function.Function;
import java.util.stream.Stream;
import luciola.meta.namespace.tree.Changes;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Checkpoint;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.HyperClockCache;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The state in RocksDB, one column family a family. There is no write-ahead log: the replicated log
 * is it. Each batch carries the log position it comes from, families are flushed together, so after
 * a crash the database is the state after some entry, and says after which.
 *
 * <p>Any thread may read; one thread writes. Close waits for calls under way.
 */
public final class RocksStore implements AutoCloseable {
  private static final int ROWS_MAX = 1 << 20;
  private static final int CACHE_BYTES_A_ROW = 512;
  private static final byte[] APPLIED = "applied".getBytes(StandardCharsets.US_ASCII);

  private final Path path;
  private final long cacheBytes;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private @Nullable Open open;

  /** A place in the replicated log. */
  public record Position(long term, long index) {
    /** Before the first entry. */
    public static final Position NONE = new Position(0, -1);
  }

  private RocksStore(Path path, long cacheBytes) {
    this.path = path;
    this.cacheBytes = cacheBytes;
  }

  /** Opens a database, making it where it is missing. */
  public static RocksStore open(Path path, long cacheBytes) {
    var store = new RocksStore(path, cacheBytes);
    store.open = new Open(path, cacheBytes);
    return store;
  }

  /** Reads one state, which does not change meanwhile. The view ends with the call. */
  public <T> T read(Function<KeyValueView, T> reader) {
    lock.readLock().lock();
    try {
      return opened().read(reader);
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * As {@link #read}, for a few rows: of the newest state, through the cache of rows. If something
   * is written meanwhile, the reader is called again and what it did before does not count.
   */
  public <T> T readShortly(Function<KeyValueView, T> reader) {
    lock.readLock().lock();
    try {
      return opened().readShortly(reader);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Makes changes on top of the present state and stores them as coming from a log position. */
  public <T> T change(Position position, Function<Staged, T> changer) {
    lock.readLock().lock();
    try {
      return opened().change(position, changer);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** The last log position whose changes are in. */
  public Position applied() {
    lock.readLock().lock();
    try {
      return opened().applied();
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Makes everything durable and a copy of it, by hard links, in a directory that must not exist.
   */
  public Position checkpoint(Path directory) {
    lock.readLock().lock();
    try {
      return opened().checkpoint(directory);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Replaces everything by a checkpoint, which is only read. */
  public void restore(Path checkpoint) {
    lock.writeLock().lock();
    try {
      opened().close();
      open = null;
      delete(path);
      Files.createDirectories(path);
      try (Stream<Path> files = Files.list(checkpoint)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.copy(file, path.resolve(file.getFileName().toString()));
        }
      }
      open = new Open(path, cacheBytes);
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.DISK_ERROR, "restore: checkpoint=" + checkpoint + " " + e, e);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Removes a directory and what is in it. */
  public static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(file);
      }
    }
  }

  private Open opened() {
    if (open == null) {
      throw new LuciolaException(ErrorCode.SHUTTING_DOWN, "the database is closed: path=" + path);
    }
    return open;
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (open != null) {
        open.close();
        open = null;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** The native handles of one life of the database. */
  private static final class Open {
    static {
      RocksDB.loadLibrary();
    }

    private final HyperClockCache cache;
    private final BloomFilter bloom = new BloomFilter(10);
    private final ColumnFamilyOptions familyOptions;
    private final DBOptions options;
    private final WriteOptions writeOptions = new WriteOptions().setDisableWAL(true);
    private final ReadOptions readOptions = new ReadOptions();
    private final RocksDB database;
    private final ColumnFamilyHandle defaultHandle;
    private final List<ColumnFamilyHandle> allHandles = new ArrayList<>();
    private final EnumMap<Family, ColumnFamilyHandle> handles = new EnumMap<>(Family.class);
    private final KeyValueView newest;
    private final RowCache rows;

    /** Held while a change becomes visible. */
    private final StampedLock writing = new StampedLock();

    Open(Path path, long cacheBytes) {
      cache = new HyperClockCache(cacheBytes, 0, -1, false);
      rows = new RowCache((int) Math.min(ROWS_MAX, cacheBytes / CACHE_BYTES_A_ROW));
      familyOptions =
          new ColumnFamilyOptions()
              .setCompressionType(CompressionType.LZ4_COMPRESSION)
              .setTableFormatConfig(
                  new BlockBasedTableConfig()
                      .setBlockCache(cache)
                      .setFilterPolicy(bloom)
                      .setCacheIndexAndFilterBlocks(true));
      options =
          new DBOptions()
              .setCreateIfMissing(true)
              .setCreateMissingColumnFamilies(true)
              .setAtomicFlush(true)
              .setMaxTotalWalSize(0)
              .setKeepLogFileNum(2);
      var descriptors = new ArrayList<ColumnFamilyDescriptor>();
      descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions));
      for (Family family : Family.values()) {
        descriptors.add(
            new ColumnFamilyDescriptor(
                family.name().toLowerCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII),
                familyOptions));
      }
      try {
        Files.createDirectories(path);
        database = RocksDB.open(options, path.toString(), descriptors, allHandles);
      } catch (RocksDBException | IOException e) {
        throw new LuciolaException(
            ErrorCode.DISK_ERROR, "open database: path=" + path + " " + e.getMessage(), e);
      }
      defaultHandle = allHandles.getFirst();
      int next = 1;
      for (Family family : Family.values()) {
        handles.put(family, allHandles.get(next));
        next++;
      }
      newest = new RocksView(database, handles, readOptions);
    }

    <T> T readShortly(Function<KeyValueView, T> reader) {
      long stamp = writing.tryOptimisticRead();
      if (stamp != 0) {
        try {
          T result = reader.apply(new LatestView(newest, rows));
          if (writing.validate(stamp)) {
            return result;
          }
        } catch (RuntimeException torn) {
          if (writing.validate(stamp)) {
            throw torn;
          }
        }
      }
      return read(reader);
    }

    <T> T read(Function<KeyValueView, T> reader) {
      Snapshot snapshot = database.getSnapshot();
      try (ReadOptions atSnapshot = new ReadOptions().setSnapshot(snapshot)) {
        return reader.apply(new RocksView(database, handles, atSnapshot));
      } finally {
        database.releaseSnapshot(snapshot);
      }
    }

    <T> T change(Position position, Function<Staged, T> changer) {
      // The only writer: nothing changes for it meanwhile.
      var staged = new Staged(new LatestView(newest, rows));
      T result = changer.apply(staged);
      try (WriteBatch batch = new WriteBatch()) {
        staged.copyTo(new BatchChanges(batch));
        batch.put(
            defaultHandle,
            APPLIED,
            ByteBuffer.allocate(16).putLong(position.term()).putLong(position.index()).array());
        write(batch, staged);
      } catch (RocksDBException e) {
        throw new LuciolaException(
            ErrorCode.DISK_ERROR, "database write: index=" + position.index() + " " + e, e);
      }
      return result;
    }

    private void write(WriteBatch batch, Staged staged) throws RocksDBException {
      long stamp = writing.writeLock();
      try {
        database.write(writeOptions, batch);
        staged.copyTo(new RowChanges(rows));
      } finally {
        writing.unlockWrite(stamp);
      }
    }

    Position applied() {
      try {
        byte[] value = database.get(defaultHandle, APPLIED);
        if (value == null) {
          return Position.NONE;
        }
        ByteBuffer numbers = ByteBuffer.wrap(value);
        return new Position(numbers.getLong(), numbers.getLong());
      } catch (RocksDBException e) {
        throw new LuciolaException(ErrorCode.DISK_ERROR, "database read: " + e, e);
      }
    }

    Position checkpoint(Path directory) {
      try (Checkpoint checkpoint = Checkpoint.create(database)) {
        flush();
        checkpoint.createCheckpoint(directory.toString());
        return applied();
      } catch (RocksDBException e) {
        throw new LuciolaException(
            ErrorCode.DISK_ERROR, "checkpoint: directory=" + directory + " " + e.getMessage(), e);
      }
    }

    private void flush() throws RocksDBException {
      try (FlushOptions all = new FlushOptions().setWaitForFlush(true)) {
        database.flush(all, allHandles);
      }
    }

    void close() {
      try {
        flush();
      } catch (RocksDBException e) {
        throw new LuciolaException(ErrorCode.DISK_ERROR, "flush at close: " + e.getMessage(), e);
      } finally {
        allHandles.forEach(ColumnFamilyHandle::close);
        database.close();
        readOptions.close();
        writeOptions.close();
        options.close();
        familyOptions.close();
        bloom.close();
        cache.close();
      }
    }

    private record RowChanges(RowCache rows) implements Changes {
      @Override
      public void put(Family family, byte[] key, byte[] value) {
        if (RowCache.keeps(family)) {
          rows.written(new RowCache.Row(family, key, value));
        }
      }

      @Override
      public void delete(Family family, byte[] key) {
        if (RowCache.keeps(family)) {
          rows.written(new RowCache.Row(family, key, null));
        }
      }
    }

    private final class BatchChanges implements Changes {
      private final WriteBatch batch;

      BatchChanges(WriteBatch batch) {
        this.batch = batch;
      }

      private ColumnFamilyHandle handle(Family family) {
        ColumnFamilyHandle handle = handles.get(family);
        if (handle == null) {
          throw new IllegalStateException("no family: " + family);
        }
        return handle;
      }

      @Override
      public void put(Family family, byte[] key, byte[] value) {
        try {
          batch.put(handle(family), key, value);
        } catch (RocksDBException e) {
          throw new LuciolaException(ErrorCode.DISK_ERROR, "batch: " + e.getMessage(), e);
        }
      }

      @Override
      public void delete(Family family, byte[] key) {
        try {
          batch.delete(handle(family), key);
        } catch (RocksDBException e) {
          throw new LuciolaException(ErrorCode.DISK_ERROR, "batch: " + e.getMessage(), e);
        }
      }
    }
  }
}
