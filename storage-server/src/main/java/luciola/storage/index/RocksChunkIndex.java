package luciola.storage.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
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
 * Metadata in RocksDB: keys {@code 'C'} + chain + chunk id and {@code 'D'} + chain + client +
 * channel, see {@link ChunkRecord} and {@link DedupEntry}, and {@code 'M' "format"} with the number
 * of the format as u32, little-endian.
 */
public final class RocksChunkIndex implements ChunkIndex {
  private static final byte CHUNK = 'C';
  private static final byte DEDUP = 'D';
  private static final byte[] FORMAT_KEY = {'M', 'f', 'o', 'r', 'm', 'a', 't'};
  private static final byte[] FORMAT = {1, 0, 0, 0};

  private final LRUCache cache;
  private final BloomFilter filter;
  private final Options options;
  private final RocksDB db;
  private final ReadOptions reading = new ReadOptions();
  private final WriteOptions synced = new WriteOptions().setSync(true);
  private final WriteOptions unsynced = new WriteOptions().setSync(false);

  private RocksChunkIndex(LRUCache cache, BloomFilter filter, Options options, RocksDB db) {
    this.cache = cache;
    this.filter = filter;
    this.options = options;
    this.db = db;
  }

  /**
   * Opens the database in a directory, making it if it is missing.
   *
   * @param cacheBytes bound of the block cache
   * @throws LuciolaException FORMAT_TOO_NEW or CORRUPT_DATA
   */
  public static RocksChunkIndex open(Path directory, long cacheBytes) throws IOException {
    RocksDB.loadLibrary();
    Files.createDirectories(directory);
    var cache = new LRUCache(cacheBytes);
    var filter = new BloomFilter(10);
    var table = new BlockBasedTableConfig().setBlockCache(cache).setFilterPolicy(filter);
    Options options =
        new Options()
            .setCreateIfMissing(true)
            .setTableFormatConfig(table)
            .setCompressionType(CompressionType.NO_COMPRESSION)
            .setWriteBufferSize(32L << 20)
            .setMaxTotalWalSize(128L << 20)
            .setKeepLogFileNum(2)
            .setMaxBackgroundJobs(2)
            // A torn last record was never acknowledged; anything worse must not pass silently.
            .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    try {
      var index =
          new RocksChunkIndex(cache, filter, options, RocksDB.open(options, directory.toString()));
      index.checkFormat(directory);
      return index;
    } catch (RocksDBException e) {
      options.close();
      filter.close();
      cache.close();
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "metadata cannot be opened: directory=" + directory, e);
    }
  }

  private void checkFormat(Path directory) throws RocksDBException {
    byte[] format = db.get(FORMAT_KEY);
    if (format == null) {
      db.put(synced, FORMAT_KEY, FORMAT);
    } else if (!Arrays.equals(format, FORMAT)) {
      close();
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "metadata has a format that this version does not know: directory=" + directory);
    }
  }

  private static byte[] key(byte letter, byte[] rest) {
    return ByteBuffer.allocate(1 + rest.length).put(letter).put(rest).array();
  }

  private static byte[] rest(byte[] key) {
    return Arrays.copyOfRange(key, 1, key.length);
  }

  @Override
  public ChunkRecord chunk(ChunkKey chunk) {
    try {
      byte[] value = db.get(reading, key(CHUNK, chunk.toBytes()));
      return value == null ? ChunkRecord.NONE : ChunkRecord.fromBytes(value);
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  @Override
  public List<Entry> chunks(ChunkKey from, int limit) {
    var found = new ArrayList<Entry>();
    try (RocksIterator at = db.newIterator(reading)) {
      at.seek(key(CHUNK, from.toBytes()));
      while (found.size() < limit && at.isValid() && at.key()[0] == CHUNK) {
        ChunkKey chunk = ChunkKey.fromBytes(rest(at.key()));
        found.add(new Entry(chunk, ChunkRecord.fromBytes(at.value())));
        at.next();
      }
      at.status();
      return found;
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  @Override
  public Optional<DedupEntry> dedup(ChainId chain, ClientId client, int channel) {
    byte[] key = DedupEntry.key(chain, client, channel);
    try {
      return Optional.ofNullable(db.get(reading, key(DEDUP, key)))
          .map(value -> DedupEntry.fromBytes(key, value));
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  @Override
  public List<DedupEntry> dedups(ChainId chain, Optional<UpdateTag> after, int limit) {
    byte[] prefix = key(DEDUP, ByteBuffer.allocate(4).putInt(chain.value()).array());
    byte[] start =
        after
            .map(tag -> key(DEDUP, DedupEntry.key(chain, tag.client(), tag.channel())))
            .map(key -> Arrays.copyOf(key, key.length + 1))
            .orElse(prefix);
    var found = new ArrayList<DedupEntry>();
    try (RocksIterator at = db.newIterator(reading)) {
      at.seek(start);
      while (found.size() < limit
          && at.isValid()
          && Arrays.equals(at.key(), 0, prefix.length, prefix, 0, prefix.length)) {
        found.add(DedupEntry.fromBytes(rest(at.key()), at.value()));
        at.next();
      }
      at.status();
      return found;
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  private static LuciolaException unreadable(RocksDBException e) {
    return new LuciolaException(ErrorCode.DISK_ERROR, "metadata cannot be read", e);
  }

  @Override
  public void write(Batch batch, boolean sync) throws IOException {
    try (var out = new WriteBatch()) {
      for (Entry entry : batch.chunks()) {
        byte[] key = key(CHUNK, entry.chunk().toBytes());
        if (entry.record().newest().isEmpty()) {
          out.delete(key);
        } else {
          out.put(key, entry.record().toBytes());
        }
      }
      for (DedupEntry entry : batch.dedups()) {
        out.put(key(DEDUP, entry.key()), entry.toBytes());
      }
      for (DedupEntry entry : batch.expired()) {
        out.delete(key(DEDUP, entry.key()));
      }
      db.write(sync ? synced : unsynced, out);
    } catch (RocksDBException e) {
      throw new IOException("metadata cannot be written", e);
    }
  }

  @Override
  public void sync() throws IOException {
    try {
      db.flushWal(true);
    } catch (RocksDBException e) {
      throw new IOException("metadata cannot be flushed", e);
    }
  }

  @Override
  public void close() {
    db.close();
    reading.close();
    synced.close();
    unsynced.close();
    options.close();
    filter.close();
    cache.close();
  }
}
