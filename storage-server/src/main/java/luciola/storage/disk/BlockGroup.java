package luciola.storage.disk;

/**
 * 256 blocks of one class: which are taken, which of these the stored metadata names, and which
 * have space behind them. A run of blocks is made ready as a whole and given back as a whole.
 */
final class BlockGroup {
  private static final int WORDS = GroupImage.WORDS;

  private final int number;
  private final int runBlocks;
  private final long[] taken = new long[WORDS];
  private final long[] named = new long[WORDS];
  private final long[] ready = new long[WORDS];

  /** Runs that are being emptied: nothing new goes there. */
  private final long[] closed = new long[WORDS];

  private int takenCount;
  private int freeCount;
  private int readyCount;

  BlockGroup(int number, int runBlocks) {
    this.number = number;
    this.runBlocks = runBlocks;
  }

  int number() {
    return number;
  }

  int runs() {
    return BlockClass.GROUP_BLOCKS / runBlocks;
  }

  int takenCount() {
    return takenCount;
  }

  /** Blocks that are ready and not taken, but for those in closed runs. */
  int freeCount() {
    return freeCount;
  }

  boolean hasFree() {
    return freeCount > 0;
  }

  boolean hasUnreadyRun() {
    return readyCount < BlockClass.GROUP_BLOCKS;
  }

  boolean isTaken(int block) {
    return bit(taken, block);
  }

  /** At open: what the metadata names is taken, and its runs are ready. */
  void restore(long[] words) {
    for (int block = 0; block < BlockClass.GROUP_BLOCKS; block++) {
      if (bit(words, block)) {
        if (!bit(ready, block)) {
          makeReady(block / runBlocks);
        }
        take(block);
        name(block);
      }
    }
  }

  /** The metadata names a block from now on. */
  void name(int block) {
    if (bit(named, block) || !bit(taken, block)) {
      throw new IllegalStateException(
          "block named twice or free: group=" + number + " block=" + block);
    }
    named[block / Long.SIZE] |= 1L << block;
  }

  /** The metadata names a block no more. */
  void unname(int block) {
    if (!bit(named, block)) {
      throw new IllegalStateException("block not named: group=" + number + " block=" + block);
    }
    named[block / Long.SIZE] &= ~(1L << block);
  }

  long[] named() {
    return named.clone();
  }

  /** The lowest free block of the fullest run that has one. */
  int bestFree() {
    int best = -1;
    int bestTaken = -1;
    for (int run = 0; run < runs(); run++) {
      int runTaken = takenIn(run);
      if (isReady(run) && !isClosed(run) && runTaken < runBlocks && runTaken > bestTaken) {
        best = run;
        bestTaken = runTaken;
      }
    }
    for (int block = best * runBlocks; best >= 0 && block < (best + 1) * runBlocks; block++) {
      if (!bit(taken, block)) {
        return block;
      }
    }
    throw new IllegalStateException("no free block: group=" + number);
  }

  /** Takes a ready block. */
  void take(int block) {
    if (bit(taken, block) || !bit(ready, block)) {
      throw new IllegalStateException(
          "block taken twice or not ready: group=" + number + " block=" + block);
    }
    taken[block / Long.SIZE] |= 1L << block;
    takenCount++;
    freeCount -= bit(closed, block) ? 0 : 1;
  }

  void release(int block) {
    if (!bit(taken, block)) {
      throw new IllegalStateException("free block released: group=" + number + " block=" + block);
    }
    taken[block / Long.SIZE] &= ~(1L << block);
    takenCount--;
    freeCount += bit(closed, block) ? 0 : 1;
  }

  /** The lowest run that has no space behind it. */
  int firstUnreadyRun() {
    for (int run = 0; run < runs(); run++) {
      if (!isReady(run)) {
        return run;
      }
    }
    throw new IllegalStateException("every run is ready: group=" + number);
  }

  boolean isReady(int run) {
    return bit(ready, run * runBlocks);
  }

  void makeReady(int run) {
    set(ready, run, true);
    readyCount += runBlocks;
    freeCount += runBlocks;
  }

  /** Of an empty run. */
  void makeUnready(int run) {
    open(run);
    set(ready, run, false);
    readyCount -= runBlocks;
    freeCount -= runBlocks;
  }

  boolean isClosed(int run) {
    return bit(closed, run * runBlocks);
  }

  /** Nothing new goes to a ready run until it is opened again. */
  void close(int run) {
    if (!isClosed(run)) {
      set(closed, run, true);
      freeCount -= runBlocks - takenIn(run);
    }
  }

  void open(int run) {
    if (isClosed(run)) {
      set(closed, run, false);
      freeCount += runBlocks - takenIn(run);
    }
  }

  /** Blocks taken in a run. */
  int takenIn(int run) {
    if (runBlocks >= Long.SIZE) {
      int count = 0;
      int words = runBlocks / Long.SIZE;
      for (int word = run * words; word < (run + 1) * words; word++) {
        count += Long.bitCount(taken[word]);
      }
      return count;
    }
    int from = run * runBlocks;
    return Long.bitCount(taken[from / Long.SIZE] >>> from & (1L << runBlocks) - 1);
  }

  private void set(long[] words, int run, boolean on) {
    for (int block = run * runBlocks; block < (run + 1) * runBlocks; block++) {
      if (on) {
        words[block / Long.SIZE] |= 1L << block;
      } else {
        words[block / Long.SIZE] &= ~(1L << block);
      }
    }
  }

  private static boolean bit(long[] words, int block) {
    return (words[block / Long.SIZE] >>> block & 1) != 0;
  }
}
