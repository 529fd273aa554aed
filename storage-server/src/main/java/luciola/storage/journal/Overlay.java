package luciola.storage.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.storage.index.KeyValues;

/** A store to be looked at, with batches over it that it does not have yet. */
final class Overlay implements KeyValues {
  private final KeyValues below;
  private final TreeMap<byte[], Optional<byte[]>> over = new TreeMap<>(Arrays::compareUnsigned);

  Overlay(KeyValues below) {
    this.below = below;
  }

  void add(List<Change> batch) {
    batch.forEach(each -> over.put(each.key(), Optional.ofNullable(each.value())));
  }

  @Override
  public Optional<byte[]> get(byte[] key) {
    Optional<byte[]> changed = over.getOrDefault(key, Optional.empty());
    return over.containsKey(key) ? changed : below.get(key);
  }

  @Override
  public List<Pair> scan(byte[] from, byte[] to, int limit) {
    Map<byte[], Optional<byte[]>> changed = over.subMap(from, to);
    if (changed.isEmpty()) {
      return below.scan(from, to, limit);
    }
    // So many more that enough are left, however many of them are forgotten.
    int more = (int) Math.min(Integer.MAX_VALUE, (long) limit + changed.size());
    List<Pair> stored = below.scan(from, to, more);
    var merged = new TreeMap<byte[], byte[]>(Arrays::compareUnsigned);
    stored.forEach(pair -> merged.put(pair.key(), pair.value()));
    boolean all = stored.size() < more;
    byte[] end = all ? to : stored.getLast().key();
    changed.forEach((key, value) -> {
      if (value.isEmpty()) {
        merged.remove(key);
      } else if (all || Arrays.compareUnsigned(key, end) <= 0) {
        merged.put(key, value.get());
      }
    });
    var found = new ArrayList<Pair>();
    Iterator<Map.Entry<byte[], byte[]>> each = merged.entrySet().iterator();
    while (found.size() < limit && each.hasNext()) {
      Map.Entry<byte[], byte[]> pair = each.next();
      found.add(new Pair(pair.getKey(), pair.getValue()));
    }
    return found;
  }

  @Override
  public void write(List<Change> changes, boolean sync) throws IOException {
    throw new IOException("metadata is opened to be read");
  }

  @Override
  public void sync() throws IOException {
    throw new IOException("metadata is opened to be read");
  }

  @Override
  public void close() {
    below.close();
  }
}
