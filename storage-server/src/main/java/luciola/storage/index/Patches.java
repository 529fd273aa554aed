package luciola.storage.index;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import org.jspecify.annotations.Nullable;

/**
 * Granules of a version that do not lie in its block but in blocks of their own, each at the
 * beginning of one. Immutable.
 */
public final class Patches {
  /** Class of the blocks: one granule each. */
  public static final BlockClass BLOCK_CLASS = BlockClass.fitting(Granules.BYTES);

  /** None at all. */
  public static final Patches NONE = new Patches(new int[0], new int[0]);

  private final int[] granules;
  private final int[] indexes;

  /** Takes the arrays over: granules in ascending order, and the index of each one's block. */
  private Patches(int[] granules, int[] indexes) {
    this.granules = granules;
    this.indexes = indexes;
  }

  /**
   * Takes the arrays over.
   *
   * @param granules in ascending order
   * @param indexes of their blocks
   */
  static Patches of(int[] granules, int[] indexes) {
    boolean bad = granules.length != indexes.length;
    for (int i = 0; i < granules.length && !bad; i++) {
      bad = indexes[i] < 0 || granules[i] < 0 || (i > 0 && granules[i] <= granules[i - 1]);
    }
    if (bad) {
      throw new IllegalArgumentException(
          "bad patches: granules="
              + Arrays.toString(granules)
              + " blocks="
              + Arrays.toString(indexes));
    }
    return granules.length == 0 ? NONE : new Patches(granules, indexes);
  }

  public boolean isEmpty() {
    return granules.length == 0;
  }

  /** Number of patches. */
  public int count() {
    return granules.length;
  }

  /** The granule of a patch, the least first. */
  public int granule(int patch) {
    return granules[patch];
  }

  /** The block of a patch. */
  public BlockRef block(int patch) {
    return new BlockRef(BLOCK_CLASS, indexes[patch]);
  }

  /** The blocks, in the order of their granules. */
  public Stream<BlockRef> blocks() {
    return Arrays.stream(indexes).mapToObj(index -> new BlockRef(BLOCK_CLASS, index));
  }

  /** Adds the blocks of granules that others do not have in the same block. */
  void addUnlike(Patches others, List<BlockRef> to) {
    int other = 0;
    for (int i = 0; i < granules.length; i++) {
      while (other < others.granules.length && others.granules[other] < granules[i]) {
        other++;
      }
      boolean same =
          other < others.granules.length
              && others.granules[other] == granules[i]
              && others.indexes[other] == indexes[i];
      if (!same) {
        to.add(block(i));
      }
    }
  }

  /** Whether some granule lies in a block. */
  boolean liesIn(BlockRef block) {
    if (!block.blockClass().equals(BLOCK_CLASS)) {
      return false;
    }
    for (int index : indexes) {
      if (index == block.index()) {
        return true;
      }
    }
    return false;
  }

  /** Where a granule lies; null: not in a patch. */
  public @Nullable BlockRef at(int granule) {
    int found = Arrays.binarySearch(granules, granule);
    return found < 0 ? null : block(found);
  }

  /** The first patched granule at or after one; a very large number if there is none. */
  public int next(int granule) {
    int at = position(granule);
    return at == granules.length ? Integer.MAX_VALUE / Granules.BYTES : granules[at];
  }

  /** Number of patches at or after a granule come before this place. */
  private int position(int granule) {
    int found = Arrays.binarySearch(granules, granule);
    return found < 0 ? -found - 1 : found;
  }

  /** How many there would be if granules {@code [from, to)} had patches too. */
  public int countWith(int from, int to) {
    return granules.length - (position(to) - position(from)) + to - from;
  }

  /** The same with other blocks for the granules from one on. */
  public Patches with(int from, List<BlockRef> blocks) {
    int to = from + blocks.size();
    int before = position(from);
    int after = position(to);
    int rest = granules.length - after;
    int[] newGranules = Arrays.copyOf(granules, before + blocks.size() + rest);
    int[] newIndexes = Arrays.copyOf(indexes, newGranules.length);
    for (int i = 0; i < blocks.size(); i++) {
      BlockRef block = blocks.get(i);
      if (!block.blockClass().equals(BLOCK_CLASS)) {
        throw new IllegalArgumentException("bad block for a patch: block=" + block);
      }
      newGranules[before + i] = from + i;
      newIndexes[before + i] = block.index();
    }
    System.arraycopy(granules, after, newGranules, before + blocks.size(), rest);
    System.arraycopy(indexes, after, newIndexes, before + blocks.size(), rest);
    return of(newGranules, newIndexes);
  }

  /** The same with one block in place of another. */
  Patches moved(BlockRef from, BlockRef to) {
    if (!from.blockClass().equals(BLOCK_CLASS)
        || IntStream.of(indexes).noneMatch(index -> index == from.index())) {
      return this;
    }
    return of(
        granules,
        IntStream.of(indexes).map(index -> index == from.index() ? to.index() : index).toArray());
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Patches that
        && Arrays.equals(granules, that.granules)
        && Arrays.equals(indexes, that.indexes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(granules) * 31 + Arrays.hashCode(indexes);
  }

  @Override
  public String toString() {
    return "granules=" + Arrays.toString(granules) + " blocks=" + Arrays.toString(indexes);
  }
}
