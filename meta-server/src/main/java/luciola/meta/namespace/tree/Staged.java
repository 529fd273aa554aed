package luciola.meta.namespace.tree;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Changes on top of a view, and the view with them: what a batch of commands reads while it is
 * being applied. One owner thread.
 */
@SuppressWarnings("ReferenceEquality") // DELETED is meant by identity
public final class Staged implements KeyValueView, Changes {
  /** Stands for a deletion; known by its identity. */
  private static final byte[] DELETED = {};

  private final KeyValueView base;
  private final EnumMap<Family, NavigableMap<byte[], byte[]>> changed = new EnumMap<>(Family.class);

  public Staged(KeyValueView base) {
    this.base = base;
  }

  @Override
  public byte @Nullable [] get(Family family, byte[] key) {
    NavigableMap<byte[], byte[]> entries = changed.get(family);
    byte[] staged = entries == null ? null : entries.get(key);
    if (staged == null) {
      return base.get(family, key);
    }
    return staged == DELETED ? null : staged;
  }

  @Override
  public void put(Family family, byte[] key, byte[] value) {
    entries(family).put(key, value);
  }

  @Override
  public void delete(Family family, byte[] key) {
    entries(family).put(key, DELETED);
  }

  private NavigableMap<byte[], byte[]> entries(Family family) {
    return changed.computeIfAbsent(family, _ -> new TreeMap<>(Arrays::compareUnsigned));
  }

  @Override
  public void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor) {
    NavigableMap<byte[], byte[]> entries = changed.get(family);
    if (entries == null || entries.isEmpty()) {
      base.scan(family, from, to, visitor);
      return;
    }
    NavigableMap<byte[], byte[]> range =
        to == null ? entries.tailMap(from, true) : entries.subMap(from, true, to, false);
    new Merge(range, visitor).run(family, from, to);
  }

  private final class Merge {
    private final Iterator<Map.Entry<byte[], byte[]>> staged;
    private final Visitor visitor;
    private Map.@Nullable Entry<byte[], byte[]> next;
    private boolean wanted = true;

    Merge(NavigableMap<byte[], byte[]> range, Visitor visitor) {
      this.staged = range.entrySet().iterator();
      this.visitor = visitor;
      advance();
    }

    private void advance() {
      next = staged.hasNext() ? staged.next() : null;
    }

    void run(Family family, byte[] from, byte @Nullable [] to) {
      base.scan(
          family,
          from,
          to,
          (key, value) -> {
            boolean replaced = false;
            while (wanted && next != null && Arrays.compareUnsigned(next.getKey(), key) <= 0) {
              replaced |= Arrays.equals(next.getKey(), key);
              visitNext(next);
            }
            if (wanted && !replaced) {
              wanted = visitor.visit(key, value);
            }
            return wanted;
          });
      while (wanted && next != null) {
        visitNext(next);
      }
    }

    private void visitNext(Map.Entry<byte[], byte[]> entry) {
      if (entry.getValue() != DELETED) {
        wanted = visitor.visit(entry.getKey(), entry.getValue());
      }
      advance();
    }
  }

  /** Hands every change to {@code changes}, by family and key. */
  public void copyTo(Changes changes) {
    changed.forEach((family, entries) ->
        entries.forEach((key, value) -> {
          if (value == DELETED) {
            changes.delete(family, key);
          } else {
            changes.put(family, key, value);
          }
        }));
  }

  /** Whether nothing was changed. */
  public boolean isEmpty() {
    return changed.isEmpty();
  }

  /** Keys that a scan finds; for deleting what one scans. */
  static List<byte[]> keys(KeyValueView view, Family family, byte[] from, byte @Nullable [] to) {
    var keys = new ArrayList<byte[]>();
    view.scan(family, from, to, (key, _) -> keys.add(key));
    return keys;
  }
}
