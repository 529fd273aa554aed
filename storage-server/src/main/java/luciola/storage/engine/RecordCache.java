package luciola.storage.engine;

import java.util.LinkedHashMap;
import java.util.Map;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * Stored records that were used last, within a bound of bytes. Its owner guards it, and tells it of
 * every change.
 */
final class RecordCache {
  private static final int RECORD_BYTES = 224;
  private static final int VERSION_BYTES = 120;

  private final LinkedHashMap<ChunkKey, ChunkRecord> records = new LinkedHashMap<>(16, 0.75f, true);
  private final long bytesMax;
  private long bytes;

  RecordCache(long bytesMax) {
    this.bytesMax = bytesMax;
  }

  @Nullable ChunkRecord get(ChunkKey chunk) {
    return records.get(chunk);
  }

  void put(ChunkKey chunk, ChunkRecord record) {
    remove(chunk);
    long weight = weight(record);
    if (weight > bytesMax) {
      return;
    }
    records.put(chunk, record);
    bytes += weight;
    var eldest = records.entrySet().iterator();
    while (bytes > bytesMax) {
      Map.Entry<ChunkKey, ChunkRecord> out = eldest.next();
      bytes -= weight(out.getValue());
      eldest.remove();
    }
  }

  void remove(ChunkKey chunk) {
    ChunkRecord old = records.remove(chunk);
    if (old != null) {
      bytes -= weight(old);
    }
  }

  /** Bytes of heap that it takes, about. */
  long bytes() {
    return bytes;
  }

  /** About what a record, its key and its place in the map take of the heap. */
  private static long weight(ChunkRecord record) {
    VersionRecord committed = record.committed();
    long weight = RECORD_BYTES + (committed == null ? 0 : weight(committed));
    for (VersionRecord each : record.pending()) {
      weight += weight(each);
    }
    return weight;
  }

  private static long weight(VersionRecord version) {
    return VERSION_BYTES
        + (long) Integer.BYTES * version.granules().length
        + 2L * Integer.BYTES * version.patches().count();
  }
}
