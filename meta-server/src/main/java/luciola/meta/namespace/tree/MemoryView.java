package luciola.meta.namespace.tree;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Key-value families in memory, for tests and simulation. */
public final class MemoryView implements KeyValueView, Changes {
  private final EnumMap<Family, NavigableMap<byte[], byte[]>> families =
      new EnumMap<>(Family.class);

  public MemoryView() {
    for (Family family : Family.values()) {
      families.put(family, new TreeMap<>(Arrays::compareUnsigned));
    }
  }

  /** The same content, apart from this one. Values are shared: nobody changes them. */
  public MemoryView copy() {
    var copy = new MemoryView();
    families.forEach((family, entries) -> copy.entries(family).putAll(entries));
    return copy;
  }

  /** Whether both hold the same. */
  public boolean isSame(MemoryView other) {
    return Arrays.stream(Family.values())
        .allMatch(family -> isSame(entries(family), other.entries(family)));
  }

  private static boolean isSame(
      NavigableMap<byte[], byte[]> some, NavigableMap<byte[], byte[]> others) {
    if (some.size() != others.size()) {
      return false;
    }
    var left = some.entrySet().iterator();
    var right = others.entrySet().iterator();
    while (left.hasNext()) {
      Map.Entry<byte[], byte[]> one = left.next();
      Map.Entry<byte[], byte[]> other = right.next();
      if (!Arrays.equals(one.getKey(), other.getKey())
          || !Arrays.equals(one.getValue(), other.getValue())) {
        return false;
      }
    }
    return true;
  }

  private NavigableMap<byte[], byte[]> entries(Family family) {
    NavigableMap<byte[], byte[]> entries = families.get(family);
    if (entries == null) {
      throw new IllegalStateException("no family: " + family);
    }
    return entries;
  }

  @Override
  public byte @Nullable [] get(Family family, byte[] key) {
    return entries(family).get(key);
  }

  @Override
  public void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor) {
    NavigableMap<byte[], byte[]> entries = entries(family);
    Map<byte[], byte[]> range =
        to == null ? entries.tailMap(from, true) : entries.subMap(from, true, to, false);
    for (Map.Entry<byte[], byte[]> entry : range.entrySet()) {
      if (!visitor.visit(entry.getKey(), entry.getValue())) {
        return;
      }
    }
  }

  @Override
  public void put(Family family, byte[] key, byte[] value) {
    entries(family).put(key, value);
  }

  @Override
  public void delete(Family family, byte[] key) {
    entries(family).remove(key);
  }
}
