package luciola.storage.disk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Which blocks of one class are free. A new block comes from the fullest group that has one, so
 * that groups empty out and their space can go back. One empty run is kept ready; space of others
 * is given back when their last block is released.
 *
 * <p>What the metadata names of each group is stored with the metadata; the rest of the state
 * (blocks just taken, blocks given up but still read, empty runs) ends with the process.
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
  private final List<ClosedRun> closed = new ArrayList<>();
  private int emptyReadyRuns;
  private long takenBlocks;
  private long freeBlocks;

  BlockSpace(BlockClass blockClass, BlockFile file, SpaceLimit limit) {
    this.blockClass = blockClass;
    this.file = file;
    this.limit = limit;
  }

  BlockFile file() {
    return file;
  }

  /** At open: what the metadata names. */
  void restore(GroupImage image) {
    lock.lock();
    try {
      BlockGroup group = groupMade(image.group());
      detach(group);
      group.restore(image.words());
      attach(group);
      takenBlocks += group.takenCount();
      for (int run = 0; run < group.runs(); run++) {
        if (group.isReady(run)) {
          limit.count(blockClass.runBytes());
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** At open, after everything was restored: gives back what no block uses. */
  void finishRestore() throws IOException {
    lock.lock();
    try {
      long runs = (file.size() + blockClass.runBytes() - 1) / blockClass.runBytes();
      int groupRuns = BlockClass.GROUP_BLOCKS / blockClass.runBlocks();
      long from = 0;
      for (long run = 0; run <= runs; run++) {
        boolean used =
            run < runs
                && run / groupRuns < groups.size()
                && groups.get((int) (run / groupRuns)).isReady((int) (run % groupRuns));
        if (used || run == runs) {
          punch(from, run);
          from = run + 1;
        }
      }
      for (long group = groups.size(); group * groupRuns < runs; group++) {
        groupMade((int) group);
      }
    } finally {
      lock.unlock();
    }
  }

  private void punch(long fromRun, long toRun) throws IOException {
    if (toRun > fromRun) {
      file.punch(fromRun * blockClass.runBytes(), (toRun - fromRun) * blockClass.runBytes());
    }
  }

  /** Takes a block, or refuses with {@link NoSpaceException}. */
  int allocate() throws IOException {
    lock.lock();
    try {
      if (withFree.isEmpty()) {
        addRunOrReopen();
      }
      BlockGroup group = withFree.first();
      detach(group);
      int block = group.bestFree();
      if (group.takenIn(block / blockClass.runBlocks()) == 0) {
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

  private void addRunOrReopen() throws IOException {
    try {
      addRun();
    } catch (NoSpaceException e) {
      List.copyOf(closed).forEach(this::reopen);
      if (withFree.isEmpty()) {
        throw e;
      }
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
      boolean empty = group.takenIn(run) == 0;
      boolean keep = emptyReadyRuns == 0 && !group.isClosed(run);
      if (empty && keep) {
        emptyReadyRuns++;
      }
      try {
        if (empty && !keep) {
          giveBack(group, run);
        }
      } finally {
        attach(group);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The group is detached. */
  private void giveBack(BlockGroup group, int run) throws IOException {
    group.makeUnready(run);
    limit.giveBack(blockClass.runBytes());
    file.punch(runPosition(group, run), blockClass.runBytes());
  }

  /** Gives back every empty run, for the good of another class; whether there was one. */
  boolean giveBackEmptyRuns() throws IOException {
    lock.lock();
    try {
      boolean any = false;
      for (BlockGroup group : emptyReadyRuns == 0 ? List.<BlockGroup>of() : groups) {
        for (int run = 0; run < group.runs(); run++) {
          if (group.isReady(run) && group.takenIn(run) == 0) {
            detach(group);
            emptyReadyRuns--;
            any = true;
            try {
              giveBack(group, run);
            } finally {
              attach(group);
            }
          }
        }
      }
      return any;
    } finally {
      lock.unlock();
    }
  }

  /** The metadata names a block from now on, or no more. */
  GroupImage name(int index, boolean on) {
    lock.lock();
    try {
      BlockGroup group = groups.get(index / BlockClass.GROUP_BLOCKS);
      if (on) {
        group.name(index % BlockClass.GROUP_BLOCKS);
      } else {
        group.unname(index % BlockClass.GROUP_BLOCKS);
      }
      return image(group);
    } finally {
      lock.unlock();
    }
  }

  private GroupImage image(BlockGroup group) {
    return new GroupImage(blockClass, group.number(), group.named());
  }

  /** Every group of which the metadata names a block. */
  Stream<GroupImage> images() {
    lock.lock();
    try {
      return groups.stream().map(this::image).filter(image -> image.count() > 0).toList().stream();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Chooses the run with the fewest blocks taken and closes it, if the free blocks of the others
   * can hold what is in it, so that emptying it gives its space back.
   */
  Optional<ClosedRun> closeEmptiest() {
    lock.lock();
    try {
      BlockGroup best = null;
      int bestRun = -1;
      int bestTaken = blockClass.runBlocks();
      for (BlockGroup group : withFree) {
        for (int run = 0; run < group.runs(); run++) {
          int count = group.takenIn(run);
          if (group.isReady(run) && !group.isClosed(run) && count > 0 && count < bestTaken) {
            best = group;
            bestRun = run;
            bestTaken = count;
          }
        }
      }
      long freeElsewhere = freeBlocks - (blockClass.runBlocks() - bestTaken);
      if (best == null || freeElsewhere < bestTaken) {
        return Optional.empty();
      }
      detach(best);
      best.close(bestRun);
      attach(best);
      var run =
          new ClosedRun(
              blockClass,
              best.number() * BlockClass.GROUP_BLOCKS + bestRun * blockClass.runBlocks(),
              bestTaken);
      closed.add(run);
      return Optional.of(run);
    } finally {
      lock.unlock();
    }
  }

  /** Lets a closed run be used again; one that is empty by now was given back already. */
  void reopen(ClosedRun run) {
    lock.lock();
    try {
      if (closed.remove(run)) {
        BlockGroup group = groups.get(run.firstIndex() / BlockClass.GROUP_BLOCKS);
        detach(group);
        group.open(run.firstIndex() % BlockClass.GROUP_BLOCKS / blockClass.runBlocks());
        attach(group);
      }
    } finally {
      lock.unlock();
    }
  }

  long takenBytes() {
    lock.lock();
    try {
      return takenBlocks * blockClass.blockBytes();
    } finally {
      lock.unlock();
    }
  }

  /** Bytes of blocks that are ready and free. */
  long freeBytes() {
    lock.lock();
    try {
      return freeBlocks * blockClass.blockBytes();
    } finally {
      lock.unlock();
    }
  }

  /** Bytes of empty runs. */
  long emptyRunBytes() {
    lock.lock();
    try {
      return emptyReadyRuns * blockClass.runBytes();
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
    freeBlocks -= group.freeCount();
  }

  private void attach(BlockGroup group) {
    freeBlocks += group.freeCount();
    if (group.hasFree()) {
      withFree.add(group);
    }
    if (group.hasUnreadyRun()) {
      growable.add(group);
    }
  }
}
