package luciola.storage.disk;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which blocks of a group the metadata names.
 *
 * @param group its number in the class's file, 0 or more
 * @param words a bit for each of {@link BlockClass#GROUP_BLOCKS} blocks, the lowest first; not to
 *     be changed
 */
@SuppressWarnings("ArrayRecordComponent")
public record GroupImage(BlockClass blockClass, int group, long[] words) {
  /** Length of {@code words}. */
  public static final int WORDS = BlockClass.GROUP_BLOCKS / Long.SIZE;

  private static final int GROUP_MAX = Integer.MAX_VALUE / BlockClass.GROUP_BLOCKS;

  public GroupImage {
    if (group < 0 || group > GROUP_MAX || words.length != WORDS) {
      throw new IllegalArgumentException(
          "bad group: class=" + blockClass + " group=" + group + " words=" + words.length);
    }
  }

  /** Number of blocks named. */
  public int count() {
    return Arrays.stream(words).mapToInt(Long::bitCount).sum();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof GroupImage that
        && blockClass.equals(that.blockClass)
        && group == that.group
        && Arrays.equals(words, that.words);
  }

  @Override
  public int hashCode() {
    return blockClass.number() * 31 + group;
  }

  @Override
  public String toString() {
    return "class=" + blockClass.number() + " group=" + group + " blocks=" + count();
  }
}
