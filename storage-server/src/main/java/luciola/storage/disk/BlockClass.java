package luciola.storage.disk;

/**
 * Size class of blocks: class {@code n} has blocks of {@code 4096 << n} bytes, from 4 KiB to 64
 * MiB. Each class has one file.
 *
 * @param number 0 … {@link #COUNT} - 1, as it is stored
 */
public record BlockClass(int number) {
  /** Number of classes. */
  public static final int COUNT = 15;

  /** Bytes of a page: the unit of direct I/O and of what is never rewritten. */
  public static final int PAGE_BYTES = 4096;

  /** Blocks of a group. */
  public static final int GROUP_BLOCKS = 256;

  /** Space is taken from the file system in runs of at most this. */
  public static final long RUN_BYTES_MAX = 64L << 20;

  public BlockClass {
    if (number < 0 || number >= COUNT) {
      throw new IllegalArgumentException("no such block class: number=" + number);
    }
  }

  /** The smallest class whose blocks hold so many bytes. */
  public static BlockClass fitting(int bytes) {
    int pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    return new BlockClass(pages <= 1 ? 0 : 32 - Integer.numberOfLeadingZeros(pages - 1));
  }

  /** {@code bytes} rounded up to whole pages. */
  public static int pageCeiling(int bytes) {
    return (bytes + PAGE_BYTES - 1) & -PAGE_BYTES;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return PAGE_BYTES << number;
  }

  /** Blocks that are preallocated together: a group, or less where that is over the limit. */
  public int runBlocks() {
    return (int) Math.min(GROUP_BLOCKS, RUN_BYTES_MAX / blockBytes());
  }

  /** Bytes of a run. */
  public long runBytes() {
    return (long) runBlocks() * blockBytes();
  }

  /** Name of the class's file. */
  String fileName() {
    int kib = blockBytes() >> 10;
    return kib >= 1024 ? "blocks-%02dMiB".formatted(kib >> 10) : "blocks-%03dKiB".formatted(kib);
  }
}
