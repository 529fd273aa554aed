package luciola.storage.disk;

/**
 * 256 blocks of one class: which are taken, and which have space behind them. A run of blocks is
 * made ready as a whole and given back as a whole.
 */
final class BlockGroup {
  private static final int WORDS = BlockClass.GROUP_BLOCKS / Long.SIZE;

  private final int number;
  private final int runBlocks;
  private final long[] taken = new long[WORDS];
  private final long[] ready = new long[WORDS];
  private int takenCount;
  private int readyCount;

  BlockGroup(int number, int runBlocks) {
    this.number = number;
    this.runBlocks = runBlocks;
  }

  int number() {
    return number;
  }

  int takenCount() {
    return takenCount;
  }

  boolean hasFree() {
    return takenCount < readyCount;
  }

  boolean hasUnreadyRun() {
    return readyCount < BlockClass.GROUP_BLOCKS;
  }

  boolean isTaken(int block) {
    return bit(taken, block);
  }

  /** The lowest free block that is ready. */
  int lowestFree() {
    for (int word = 0; word < WORDS; word++) {
      long free = ready[word] & ~taken[word];
      if (free != 0) {
        return word * Long.SIZE + Long.numberOfTrailingZeros(free);
      }
    }
    throw new IllegalStateException("no free block: group=" + number);
  }

  /** Takes a block; its run counts as ready from now on. */
  void take(int block) {
    if (bit(taken, block)) {
      throw new IllegalStateException("block taken twice: group=" + number + " block=" + block);
    }
    if (!bit(ready, block)) {
      makeReady(block / runBlocks);
    }
    taken[block / Long.SIZE] |= 1L << block;
    takenCount++;
  }

  void release(int block) {
    if (!bit(taken, block)) {
      throw new IllegalStateException("free block released: group=" + number + " block=" + block);
    }
    taken[block / Long.SIZE] &= ~(1L << block);
    takenCount--;
  }

  /** The lowest run that has no space behind it. */
  int firstUnreadyRun() {
    for (int run = 0; run < BlockClass.GROUP_BLOCKS / runBlocks; run++) {
      if (!bit(ready, run * runBlocks)) {
        return run;
      }
    }
    throw new IllegalStateException("every run is ready: group=" + number);
  }

  boolean isReady(int run) {
    return bit(ready, run * runBlocks);
  }

  void makeReady(int run) {
    for (int block = run * runBlocks; block < (run + 1) * runBlocks; block++) {
      ready[block / Long.SIZE] |= 1L << block;
    }
    readyCount += runBlocks;
  }

  void makeUnready(int run) {
    for (int block = run * runBlocks; block < (run + 1) * runBlocks; block++) {
      ready[block / Long.SIZE] &= ~(1L << block);
    }
    readyCount -= runBlocks;
  }

  boolean isEmptyRun(int run) {
    for (int block = run * runBlocks; block < (run + 1) * runBlocks; block++) {
      if (bit(taken, block)) {
        return false;
      }
    }
    return true;
  }

  private static boolean bit(long[] words, int block) {
    return (words[block / Long.SIZE] >>> block & 1) != 0;
  }
}
