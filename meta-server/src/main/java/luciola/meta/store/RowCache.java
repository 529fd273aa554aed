package luciola.meta.store;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import luciola.meta.namespace.tree.Family;
import org.jspecify.annotations.Nullable;

/**
 * Rows as they are after the last change, those that are missing included: each has one place,
 * which it loses to the next row that falls there. Directories, which every path goes through, are
 * back in theirs at once.
 *
 * <p>The writer tells every row that it has {@linkplain #written written} to the database. A reader
 * looks {@linkplain #at at the place} of its row, reads the database if it is not there, and then
 * {@linkplain #fill fills} it in. A row that was written after the reader had looked has changed
 * its place, and as a place never gets the same object twice, the reader's older one is not let in.
 */
final class RowCache {
  /** A row. The value is null if there is no such row; nobody changes the arrays. */
  @SuppressWarnings("ArrayRecordComponent")
  record Row(Family family, byte[] key, byte @Nullable [] value) {
    boolean is(Family otherFamily, byte[] otherKey) {
      return family == otherFamily && Arrays.equals(key, otherKey);
    }
  }

  private final AtomicReferenceArray<@Nullable Row> places;
  private final int mask;

  /**
   * An empty cache.
   *
   * @param rows at least 1; the next lower power of two counts
   */
  RowCache(int rows) {
    this.places = new AtomicReferenceArray<>(Integer.highestOneBit(rows));
    this.mask = places.length() - 1;
  }

  /**
   * Whether rows of a family are kept: those that paths are looked up by, and what changes are
   * charged to.
   */
  static boolean keeps(Family family) {
    return family == Family.INODE || family == Family.DENTRY || family == Family.QUOTA;
  }

  /** The place of a row. */
  int place(Family family, byte[] key) {
    int hash = (Arrays.hashCode(key) * 31 + (family == Family.INODE ? 0 : 1)) * 0x9E3779B9;
    return (hash ^ hash >>> 15) & mask;
  }

  /** What is in a place. */
  @Nullable Row at(int place) {
    return places.getAcquire(place);
  }

  /** Puts in what was read, if what was seen in its place is still there. */
  void fill(int place, @Nullable Row seen, Row row) {
    places.weakCompareAndSetRelease(place, seen, row);
  }

  /** A row has become this. */
  void written(Row row) {
    places.setRelease(place(row.family(), row.key()), row);
  }
}
