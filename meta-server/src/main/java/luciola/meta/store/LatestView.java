package luciola.meta.store;

import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import org.jspecify.annotations.Nullable;

/**
 * The newest rows, from the cache where it has them. What it shows is one state only if nothing was
 * written meanwhile; whoever uses it finds out afterwards.
 *
 * @param database the newest state
 */
record LatestView(KeyValueView database, RowCache cache) implements KeyValueView {
  @Override
  public byte @Nullable [] get(Family family, byte[] key) {
    if (!RowCache.keeps(family)) {
      return database.get(family, key);
    }
    int place = cache.place(family, key);
    RowCache.Row seen = cache.at(place);
    if (seen != null && seen.is(family, key)) {
      return seen.value();
    }
    byte[] value = database.get(family, key);
    cache.fill(place, seen, new RowCache.Row(family, key, value));
    return value;
  }

  @Override
  public void scan(Family family, byte[] from, byte @Nullable [] to, Visitor visitor) {
    database.scan(family, from, to, visitor);
  }
}
