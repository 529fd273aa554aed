package luciola.storage.disk;

/**
 * A run of blocks that is being emptied: it gives out no block.
 *
 * @param firstIndex number of its first block in the class's file
 * @param taken blocks that were taken when it was chosen
 */
public record ClosedRun(BlockClass blockClass, int firstIndex, int taken) {
  /** Whether a block lies in it. */
  public boolean holds(BlockRef block) {
    return block.blockClass().equals(blockClass)
        && block.index() >= firstIndex
        && block.index() < firstIndex + blockClass.runBlocks();
  }
}
