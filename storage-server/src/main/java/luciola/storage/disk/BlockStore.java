package luciola.storage.disk;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All blocks of one target. Safe for use by many threads.
 *
 * <p>A block that is read while it is given back stays taken until its last {@link Pin} is closed,
 * so that a slow reader never sees the bytes of a later owner.
 */
public final class BlockStore implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BlockStore.class);
  private static final long PINS_LOOK_NANOS = 1_000_000;

  private final SpaceLimit limit;
  private final List<BlockSpace> spaces;
  private final ConcurrentHashMap<BlockRef, Readers> pinned = new ConcurrentHashMap<>();
  private volatile boolean pinsEnded;

  private BlockStore(SpaceLimit limit, List<BlockSpace> spaces) {
    this.limit = limit;
    this.spaces = List.copyOf(spaces);
  }

  /**
   * Opens the files; every block counts as free until it is restored.
   *
   * @param capacityBytes most bytes of space to take from the disk
   * @param reserveBytes bytes of the disk to leave alone
   */
  public static BlockStore open(
      BlockFile.Opener opener, DiskSpace disk, long capacityBytes, long reserveBytes)
      throws IOException {
    var limit = new SpaceLimit(disk, capacityBytes, reserveBytes);
    var spaces = new ArrayList<BlockSpace>(BlockClass.COUNT);
    for (int number = 0; number < BlockClass.COUNT; number++) {
      var blockClass = new BlockClass(number);
      spaces.add(new BlockSpace(blockClass, opener.open(blockClass), limit));
    }
    return new BlockStore(limit, spaces);
  }

  /** At open: blocks that the metadata names. */
  public void restore(GroupImage group) {
    spaces.get(group.blockClass().number()).restore(group);
  }

  /** At open, after the last {@link #restore}: what no metadata names goes back to the disk. */
  public void finishRestore() throws IOException {
    for (BlockSpace space : spaces) {
      space.finishRestore();
    }
  }

  /**
   * The metadata names a taken block from now on ({@code on}), or does no more.
   *
   * @return what it names of the block's group, to be stored with that metadata
   */
  public GroupImage name(BlockRef block, boolean on) {
    return space(block).name(block.index(), on);
  }

  /** Every group of which the metadata names a block. */
  public Stream<GroupImage> groups() {
    return spaces.stream().flatMap(BlockSpace::images);
  }

  /**
   * Takes a block for so many bytes. Before it refuses, empty runs of other classes are given up.
   *
   * @throws NoSpaceException if there is no room
   */
  public BlockRef allocate(int bytes) throws IOException {
    BlockClass blockClass = BlockClass.fitting(bytes);
    BlockSpace space = spaces.get(blockClass.number());
    try {
      return new BlockRef(blockClass, space.allocate());
    } catch (NoSpaceException e) {
      boolean any = false;
      for (BlockSpace other : spaces) {
        any |= other.giveBackEmptyRuns();
      }
      if (!any) {
        throw e;
      }
      return new BlockRef(blockClass, space.allocate());
    }
  }

  /** Whether a block of so many bytes is there, or could be made, with some bytes to spare. */
  public boolean hasRoomFor(int bytes, long marginBytes) throws IOException {
    BlockClass blockClass = BlockClass.fitting(bytes);
    long left = limit.leftBytes();
    if (left >= marginBytes + blockClass.runBytes()) {
      return true;
    }
    BlockSpace own = spaces.get(blockClass.number());
    long empty = spaces.stream().mapToLong(BlockSpace::emptyRunBytes).sum();
    long makeable = (left + empty - own.emptyRunBytes()) / blockClass.runBytes();
    return makeable * blockClass.runBytes() + own.freeBytes()
        >= blockClass.blockBytes() + marginBytes;
  }

  /** Bytes of free blocks in runs that are partly taken: what compaction can win at most. */
  public long fragmentedBytes() {
    return spaces.stream().mapToLong(each -> each.freeBytes() - each.emptyRunBytes()).sum();
  }

  /**
   * Chooses a run to be emptied, of the class where that gives most for the least to be moved.
   * Nothing new goes into it; when its last block is released its space goes back.
   */
  public Optional<ClosedRun> closeEmptiest() {
    Optional<ClosedRun> best = Optional.empty();
    for (BlockSpace space : spaces) {
      Optional<ClosedRun> found = space.closeEmptiest();
      if (found.isPresent() && (best.isEmpty() || gain(found.get()) > gain(best.get()))) {
        best.ifPresent(this::reopen);
        best = found;
      } else {
        found.ifPresent(this::reopen);
      }
    }
    return best;
  }

  private static double gain(ClosedRun run) {
    return (double) run.blockClass().runBlocks() / run.taken();
  }

  /** Lets a closed run be used again. */
  public void reopen(ClosedRun run) {
    spaces.get(run.blockClass().number()).reopen(run);
  }

  /** Gives a block back, now or when its last reader is done. */
  public void release(BlockRef block) {
    Readers readers = pinned.computeIfPresent(block, (_, old) -> old.givenBack());
    if (readers == null) {
      releaseNow(block);
    }
  }

  private void releaseNow(BlockRef block) {
    try {
      space(block).release(block.index());
    } catch (IOException e) {
      log.warn("space was not given back to the disk block={}", block, e);
    }
  }

  /** Keeps the bytes of some blocks as they are until the pin is closed. */
  public Pin pin(List<BlockRef> blocks) {
    for (BlockRef block : blocks) {
      pinned.merge(block, Readers.ONE, (old, _) -> old.plus(1));
    }
    var pin = new Pin(this, blocks);
    if (pinsEnded) {
      pin.close();
      throw new LuciolaException(ErrorCode.SHUTTING_DOWN, "target is closed");
    }
    return pin;
  }

  /**
   * Gives no more pins and waits for those that are out.
   *
   * @return whether none is left; false: that took longer
   */
  public boolean endPins(long waitNanos) {
    pinsEnded = true;
    long deadline = System.nanoTime() + waitNanos;
    while (!pinned.isEmpty() && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(this, PINS_LOOK_NANOS);
    }
    return pinned.isEmpty();
  }

  private void unpin(BlockRef block) {
    var last = new Readers[1];
    pinned.computeIfPresent(
        block,
        (_, old) -> {
          Readers left = old.plus(-1);
          last[0] = left;
          return left.count() == 0 ? null : left;
        });
    if (last[0] != null && last[0].count() == 0 && last[0].givingBack()) {
      releaseNow(block);
    }
  }

  /** The file that a block lies in. */
  public BlockFile file(BlockRef block) {
    return space(block).file();
  }

  /** The file of a class. */
  public BlockFile file(BlockClass blockClass) {
    return spaces.get(blockClass.number()).file();
  }

  private BlockSpace space(BlockRef block) {
    return spaces.get(block.blockClass().number());
  }

  /** Whether a block is taken. */
  public boolean isTaken(BlockRef block) {
    return space(block).isTaken(block.index());
  }

  /** Bytes of all taken blocks. */
  public long takenBytes() {
    long sum = 0;
    for (BlockSpace space : spaces) {
      sum += space.takenBytes();
    }
    return sum;
  }

  /** Bytes of space taken from the disk for blocks, free ones included. */
  public long preallocatedBytes() {
    return limit.takenBytes();
  }

  /** Bytes that this target can hold at most. */
  public long capacityBytes() throws IOException {
    return limit.capacityBytes();
  }

  @Override
  public void close() throws IOException {
    @Nullable IOException failed = null;
    for (BlockSpace space : spaces) {
      try {
        space.file().close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  /** Readers of a block, and whether its owner is gone. */
  private record Readers(int count, boolean givingBack) {
    static final Readers ONE = new Readers(1, false);

    Readers plus(int more) {
      return new Readers(count + more, givingBack);
    }

    Readers givenBack() {
      return new Readers(count, true);
    }
  }

  /** One reader's hold on some blocks. Closing twice is harmless. */
  public static final class Pin implements AutoCloseable {
    private @Nullable BlockStore store;
    private final List<BlockRef> blocks;

    private Pin(BlockStore store, List<BlockRef> blocks) {
      this.store = store;
      this.blocks = blocks;
    }

    @Override
    public synchronized void close() {
      BlockStore held = store;
      store = null;
      if (held != null) {
        blocks.forEach(held::unpin);
      }
    }
  }
}
