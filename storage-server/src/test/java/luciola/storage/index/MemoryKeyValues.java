package luciola.storage.index;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Keys and values in memory that can lose power: then some of the last unsynced writes are gone.
 */
public final class MemoryKeyValues implements KeyValues {
  private TreeMap<byte[], byte[]> now = new TreeMap<>(Arrays::compareUnsigned);
  private TreeMap<byte[], byte[]> durable = new TreeMap<>(Arrays::compareUnsigned);
  private final List<List<Change>> unsynced = new ArrayList<>();
  private boolean off;
  private long read;

  /** Loses power: a prefix of the unsynced writes survives. */
  public synchronized void powerOff(Random random) {
    off = true;
    int kept = random.nextInt(unsynced.size() + 1);
    unsynced.subList(0, kept).forEach(changes -> apply(changes, durable));
    unsynced.clear();
    now = new TreeMap<>(durable);
  }

  public synchronized void powerOn() {
    off = false;
  }

  /** Writes that a loss of power may take. */
  public synchronized int unsynced() {
    return unsynced.size();
  }

  /** Number of pairs that were read so far. */
  public synchronized long read() {
    return read;
  }

  private static void apply(List<Change> changes, Map<byte[], byte[]> to) {
    for (Change change : changes) {
      byte[] value = change.value();
      if (value == null) {
        to.remove(change.key());
      } else {
        to.put(change.key(), value);
      }
    }
  }

  @Override
  public synchronized Optional<byte[]> get(byte[] key) {
    read++;
    return Optional.ofNullable(now.get(key));
  }

  @Override
  public synchronized List<Pair> scan(byte[] from, byte[] to, int limit) {
    List<Pair> found =
        now.subMap(from, to).entrySet().stream()
            .limit(limit)
            .map(each -> new Pair(each.getKey(), each.getValue()))
            .toList();
    read += found.size();
    return found;
  }

  @Override
  public synchronized void write(List<Change> changes, boolean sync) throws IOException {
    check();
    apply(changes, now);
    unsynced.add(List.copyOf(changes));
    if (sync) {
      sync();
    }
  }

  @Override
  public synchronized void sync() throws IOException {
    check();
    unsynced.forEach(changes -> apply(changes, durable));
    unsynced.clear();
  }

  /** What is written after this is not durable with it. */
  @Override
  public synchronized Syncing beginSync() {
    int begun = unsynced.size();
    return () -> sync(begun);
  }

  private synchronized void sync(int count) throws IOException {
    check();
    List<List<Change>> first = unsynced.subList(0, Math.min(count, unsynced.size()));
    first.forEach(changes -> apply(changes, durable));
    first.clear();
  }

  private void check() throws IOException {
    if (off) {
      throw new IOException("power is off");
    }
  }

  @Override
  public void close() {}
}
