package luciola.storage.disk;

/**
 * Place of one block.
 *
 * @param blockClass its size, and so its file
 * @param index its number in that file, 0 or more
 */
public record BlockRef(BlockClass blockClass, int index) {
  public BlockRef {
    if (index < 0) {
      throw new IllegalArgumentException("bad block: class=" + blockClass + " index=" + index);
    }
  }

  /** First byte in the file. */
  public long position() {
    return (long) index * blockClass.blockBytes();
  }
}
