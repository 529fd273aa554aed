package luciola.storage.index;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.UseGuard;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.FlushOptions;
import org.rocksdb.IndexType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Metadata in RocksDB, without a log: what is written is durable when the database has written it
 * to its tables. Whoever cannot wait for that keeps a log of his own. Memory is bounded however
 * much is stored: data, index and filter blocks share one block cache, and a bounded number of
 * files is open.
 */
public final class RocksKeyValues implements KeyValues {
  private static final int OPEN_FILES_MAX = 1024;
  private static final int METADATA_BLOCK_BYTES = 4096;
  private static final int WRITE_BUFFERS_MAX = 4;
  private static final String UNWRITTEN_BUFFERS = "rocksdb.num-immutable-mem-table";

  private final UseGuard guard = new UseGuard();
  private final LRUCache cache;
  private final BloomFilter filter;
  private final Options options;
  private final RocksDB db;
  private final ReadOptions reading = new ReadOptions();
  private final WriteOptions writing = new WriteOptions().setDisableWAL(true);
  private final FlushOptions flushing = new FlushOptions().setWaitForFlush(true);
  private final FlushOptions beginning = new FlushOptions().setWaitForFlush(false);

  private RocksKeyValues(LRUCache cache, BloomFilter filter, Options options, RocksDB db) {
    this.cache = cache;
    this.filter = filter;
    this.options = options;
    this.db = db;
  }

  /**
   * Opens the database in a directory, making it if it is missing.
   *
   * @param cacheBytes bound of the block cache
   * @throws LuciolaException CORRUPT_DATA
   */
  public static RocksKeyValues open(Path directory, long cacheBytes) throws IOException {
    Files.createDirectories(directory);
    return open(directory, cacheBytes, false);
  }

  /**
   * Opens an existing database that is only read: nothing of what is stored changes, and writing
   * fails.
   *
   * @param cacheBytes bound of the block cache
   * @throws LuciolaException CORRUPT_DATA, also where there is none
   */
  public static RocksKeyValues openToRead(Path directory, long cacheBytes) {
    return open(directory, cacheBytes, true);
  }

  private static RocksKeyValues open(Path directory, long cacheBytes, boolean toRead) {
    RocksDB.loadLibrary();
    var cache = new LRUCache(cacheBytes);
    var filter = new BloomFilter(10);
    var table =
        new BlockBasedTableConfig()
            .setBlockCache(cache)
            .setFilterPolicy(filter)
            .setCacheIndexAndFilterBlocks(true)
            .setCacheIndexAndFilterBlocksWithHighPriority(true)
            .setPinTopLevelIndexAndFilter(true)
            .setIndexType(IndexType.kTwoLevelIndexSearch)
            .setPartitionFilters(true)
            .setMetadataBlockSize(METADATA_BLOCK_BYTES);
    Options options =
        new Options()
            .setCreateIfMissing(!toRead)
            .setTableFormatConfig(table)
            .setCompressionType(CompressionType.NO_COMPRESSION)
            .setWriteBufferSize(32L << 20)
            .setMaxWriteBufferNumber(WRITE_BUFFERS_MAX)
            .setKeepLogFileNum(2)
            .setMaxBackgroundJobs(2)
            .setMaxOpenFiles(OPEN_FILES_MAX)
            .setSkipStatsUpdateOnDbOpen(true)
            // Of directories of format 2, which have a log: a torn last record was never
            // acknowledged; anything worse must not pass silently.
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    try {
      RocksDB db =
          toRead
              ? RocksDB.openReadOnly(options, directory.toString())
              : RocksDB.open(options, directory.toString());
      return new RocksKeyValues(cache, filter, options, db);
    } catch (RocksDBException e) {
      options.close();
      filter.close();
      cache.close();
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "metadata cannot be opened: directory=" + directory, e);
    }
  }

  @Override
  public Optional<byte[]> get(byte[] key) {
    enter();
    try {
      return Optional.ofNullable(db.get(reading, key));
    } catch (RocksDBException e) {
      throw unreadable(e);
    } finally {
      guard.exit();
    }
  }

  /** A call into a database that was closed would end the process. */
  private void enter() {
    if (!guard.enter()) {
      throw new LuciolaException(ErrorCode.SHUTTING_DOWN, "metadata is closed");
    }
  }

  private void enterToWrite() throws IOException {
    if (!guard.enter()) {
      throw new IOException("metadata is closed");
    }
  }

  @Override
  public List<Pair> scan(byte[] from, byte[] to, int limit) {
    enter();
    var found = new ArrayList<Pair>();
    try (RocksIterator at = db.newIterator(reading)) {
      at.seek(from);
      while (found.size() < limit && at.isValid()) {
        byte[] key = at.key();
        if (Arrays.compareUnsigned(key, to) >= 0) {
          break;
        }
        found.add(new Pair(key, at.value()));
        at.next();
      }
      at.status();
      return found;
    } catch (RocksDBException e) {
      throw unreadable(e);
    } finally {
      guard.exit();
    }
  }

  private static LuciolaException unreadable(RocksDBException e) {
    return new LuciolaException(ErrorCode.DISK_ERROR, "metadata cannot be read", e);
  }

  @Override
  public void write(List<Change> changes, boolean sync) throws IOException {
    enterToWrite();
    try (var out = new WriteBatch()) {
      for (Change change : changes) {
        byte[] value = change.value();
        if (value == null) {
          out.delete(change.key());
        } else {
          out.put(change.key(), value);
        }
      }
      db.write(writing, out);
      if (sync) {
        db.flush(flushing);
      }
    } catch (RocksDBException e) {
      throw new IOException("metadata cannot be written", e);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void sync() throws IOException {
    flush(flushing);
  }

  @Override
  public Syncing beginSync() throws IOException {
    flush(beginning);
    return this::awaitBuffers;
  }

  private void flush(FlushOptions how) throws IOException {
    enterToWrite();
    try {
      db.flush(how);
    } catch (RocksDBException e) {
      throw new IOException("metadata cannot be flushed", e);
    } finally {
      guard.exit();
    }
  }

  /** What was written since may be flushed along. */
  private void awaitBuffers() throws IOException {
    enterToWrite();
    try {
      if (db.getLongProperty(UNWRITTEN_BUFFERS) > 0) {
        db.flush(flushing);
      }
    } catch (RocksDBException e) {
      throw new IOException("metadata cannot be flushed", e);
    } finally {
      guard.exit();
    }
  }

  /** Waits for calls that are under way; later ones fail. Closing twice is harmless. */
  @Override
  public void close() {
    if (!guard.close()) {
      return;
    }
    db.close();
    reading.close();
    writing.close();
    flushing.close();
    beginning.close();
    options.close();
    filter.close();
    cache.close();
  }
}
