package luciola.meta.store;

import java.util.Map;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;

/** The database under given read options. Valid only within the call of the store that made it. */
final class RocksView implements KeyValueView {
  private final RocksDB database;
  private final Map<Family, ColumnFamilyHandle> handles;
  private final ReadOptions options;

  RocksView(RocksDB database, Map<Family, ColumnFamilyHandle> handles, ReadOptions options) {
    this.database = database;
    this.handles = handles;
    this.options = options;
  }

  private ColumnFamilyHandle handle(Family family) {
    ColumnFamilyHandle handle = handles.get(family);
    if (handle == null) {
      throw new IllegalStateException("no family: " + family);
    }
    return handle;
  }

  @Override
  public byte @Nullable [] get(Family family, byte[] key) {
    try {
      return database.get(handle(family), options, key);
    } catch (RocksDBException e) {
      throw failed("get", family, e);
    }
  }

  @Override
  public void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor) {
    try (ReadOptions bounded = new ReadOptions(options);
        Slice bound = to == null ? null : new Slice(to)) {
      if (bound != null) {
        bounded.setIterateUpperBound(bound);
      }
      try (RocksIterator iterator = database.newIterator(handle(family), bounded)) {
        iterator.seek(from);
        while (iterator.isValid() && visitor.visit(iterator.key(), iterator.value())) {
          iterator.next();
        }
        iterator.status();
      }
    } catch (RocksDBException e) {
      throw failed("scan", family, e);
    }
  }

  private static LuciolaException failed(String what, Family family, RocksDBException e) {
    return new LuciolaException(
        ErrorCode.DISK_ERROR, "database " + what + ": family=" + family + " " + e.getMessage(), e);
  }
}
