package luciola.storage.disk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which blocks of one class are free. A new block comes from the fullest group that has one, so
 * that groups empty out and their space can go back. One empty run is kept ready; space of others
 * is given back when their last block is released.
 *
 * <p>Nothing here is stored: the state is rebuilt at open from the blocks that the metadata names.
 */
final class BlockSpace {
  private static final Comparator<BlockGroup> FULLEST =
      Comparator.comparingInt(BlockGroup::takenCount)
          .reversed()
          .thenComparingInt(BlockGroup::number);

  private final BlockClass blockClass;
  private final BlockFile file;
  private final SpaceLimit limit;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<BlockGroup> groups = new ArrayList<>();
  private final TreeSet<BlockGroup> withFree = new TreeSet<>(FULLEST);
  private final TreeSet<BlockGroup> growable = new TreeSet<>(FULLEST);
  private int emptyReadyRuns;
  private long takenBlocks;

  BlockSpace(BlockClass blockClass, BlockFile file, SpaceLimit limit) {
    this.blockClass = blockClass;
    this.file = file;
    this.limit = limit;
  }

  BlockFile file() {
    return file;
  }

  /** At open: the metadata names this block. */
  void restore(int index) {
    BlockGroup group = groupMade(index / BlockClass.GROUP_BLOCKS);
    detach(group);
    int block = index % BlockClass.GROUP_BLOCKS;
    boolean ready = group.isReady(block / blockClass.runBlocks());
    group.take(block);
    takenBlocks++;
    if (!ready) {
      limit.count(blockClass.runBytes());
    }
    attach(group);
  }

  /** At open, after every block was restored: gives back what no block uses. */
  void finishRestore() throws IOException {
    long runs = file.size() / blockClass.runBytes();
    int groupRuns = BlockClass.GROUP_BLOCKS / blockClass.runBlocks();
    for (long run = 0; run < runs; run++) {
      BlockGroup group = groupMade((int) (run / groupRuns));
      if (!group.isReady((int) (run % groupRuns))) {
        file.punch(run * blockClass.runBytes(), blockClass.runBytes());
      }
    }
  }

  /** Takes a block, or refuses with {@link NoSpaceException}. */
  int allocate() throws IOException {
    lock.lock();
    try {
      if (withFree.isEmpty()) {
        addRun();
      }
      BlockGroup group = withFree.first();
      detach(group);
      int block = group.lowestFree();
      if (group.isEmptyRun(block / blockClass.runBlocks())) {
        emptyReadyRuns--;
      }
      group.take(block);
      takenBlocks++;
      attach(group);
      return group.number() * BlockClass.GROUP_BLOCKS + block;
    } finally {
      lock.unlock();
    }
  }

  private void addRun() throws IOException {
    BlockGroup group = growable.isEmpty() ? groupMade(groups.size()) : growable.first();
    int run = group.firstUnreadyRun();
    limit.take(blockClass.runBytes());
    try {
      file.preallocate(runPosition(group, run), blockClass.runBytes());
    } catch (IOException e) {
      limit.giveBack(blockClass.runBytes());
      throw e;
    }
    detach(group);
    group.makeReady(run);
    emptyReadyRuns++;
    attach(group);
  }

  private long runPosition(BlockGroup group, int run) {
    return ((long) group.number() * BlockClass.GROUP_BLOCKS + (long) run * blockClass.runBlocks())
        * blockClass.blockBytes();
  }

  /** Gives a block back; nobody may read it any more. */
  void release(int index) throws IOException {
    lock.lock();
    try {
      BlockGroup group = groups.get(index / BlockClass.GROUP_BLOCKS);
      int block = index % BlockClass.GROUP_BLOCKS;
      int run = block / blockClass.runBlocks();
      detach(group);
      group.release(block);
      takenBlocks--;
      if (group.isEmptyRun(run)) {
        releaseRun(group, run);
      }
      attach(group);
    } finally {
      lock.unlock();
    }
  }

  private void releaseRun(BlockGroup group, int run) throws IOException {
    if (emptyReadyRuns == 0) {
      emptyReadyRuns++;
      return;
    }
    group.makeUnready(run);
    limit.giveBack(blockClass.runBytes());
    file.punch(runPosition(group, run), blockClass.runBytes());
  }

  long takenBytes() {
    lock.lock();
    try {
      return takenBlocks * blockClass.blockBytes();
    } finally {
      lock.unlock();
    }
  }

  boolean isTaken(int index) {
    lock.lock();
    try {
      int group = index / BlockClass.GROUP_BLOCKS;
      return group < groups.size() && groups.get(group).isTaken(index % BlockClass.GROUP_BLOCKS);
    } finally {
      lock.unlock();
    }
  }

  private BlockGroup groupMade(int number) {
    while (groups.size() <= number) {
      var group = new BlockGroup(groups.size(), blockClass.runBlocks());
      groups.add(group);
      attach(group);
    }
    return groups.get(number);
  }

  /** The sets are ordered by fullness, so a group leaves them while it changes. */
  private void detach(BlockGroup group) {
    withFree.remove(group);
    growable.remove(group);
  }

  private void attach(BlockGroup group) {
    if (group.hasFree()) {
      withFree.add(group);
    }
    if (group.hasUnreadyRun()) {
      growable.add(group);
    }
  }
}
