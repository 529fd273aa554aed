package luciola.simulation.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.NoSpaceException;
import org.jspecify.annotations.Nullable;

/** The file of one block class: what reads see, and what survives a loss of power. */
final class SimBlocks {
  private static final int PAGE = BlockClass.PAGE_BYTES;
  private static final int SECTOR = 512;

  private final World world;
  private final int blockPages;
  private final boolean flushes;
  // A page's bytes are never changed in place, so both may hold the same array.
  private final TreeMap<Long, byte[]> now = new TreeMap<>();
  private final TreeMap<Long, byte[]> durable = new TreeMap<>();
  private final TreeSet<Long> dirty = new TreeSet<>();
  private final Set<Long> rotten = new HashSet<>();
  private long size;

  /**
   * @param flushes false: a flush is said to be done and is not, as a planted bug
   */
  SimBlocks(World world, BlockClass blockClass, boolean flushes) {
    this.world = world;
    this.blockPages = blockClass.blockBytes() / PAGE;
    this.flushes = flushes;
  }

  /** Each page that was not flushed is kept, lost, or torn between its sectors. */
  void losePower() {
    for (long page : dirty) {
      byte @Nullable [] written = now.get(page);
      byte @Nullable [] old = durable.get(page);
      switch (world.below(3)) {
        case 0 -> {
          if (written != null) {
            durable.put(page, written);
          }
        }
        case 1 -> world.met(Probe.UNSYNCED_PAGES_LOST);
        default -> {
          world.met(Probe.TORN_WRITE_AT_PENDING);
          byte[] torn = old == null ? new byte[PAGE] : old.clone();
          if (written != null) {
            tear(written, torn);
          }
          durable.put(page, torn);
        }
      }
    }
    dirty.clear();
    now.clear();
    now.putAll(durable);
  }

  /** Half of the time the first sectors got there, else any: a disk may reorder them. */
  private void tear(byte[] written, byte[] torn) {
    if (world.chance(0.5)) {
      System.arraycopy(written, 0, torn, 0, (1 + world.below(PAGE / SECTOR - 1)) * SECTOR);
      return;
    }
    int there = 1 + world.below((1 << (PAGE / SECTOR)) - 2);
    for (int sector = 0; sector < PAGE / SECTOR; sector++) {
      if (((there >> sector) & 1) != 0) {
        System.arraycopy(written, sector * SECTOR, torn, sector * SECTOR, SECTOR);
      }
    }
  }

  /** Turns a bit over in a flushed page of these bytes; whether there is one. */
  boolean rot(long position, int bytes) {
    long first = position / PAGE;
    long end = (position + bytes + PAGE - 1) / PAGE;
    Long[] pages =
        durable.subMap(first, end).keySet().stream()
            .filter(page -> !dirty.contains(page) && now.containsKey(page))
            .toArray(Long[]::new);
    if (pages.length == 0) {
      return false;
    }
    long page = pages[world.below(pages.length)];
    byte[] kept = Objects.requireNonNull(durable.get(page)).clone();
    kept[world.below((int) Math.min(PAGE, position + bytes - page * PAGE))] ^=
        (byte) (1 << world.below(8));
    durable.put(page, kept);
    now.put(page, kept);
    rotten.add(page);
    return true;
  }

  /** Whether a bit was turned over in these bytes, and they were not written since. */
  boolean rotten(long position, int bytes) {
    if (rotten.isEmpty()) {
      return false;
    }
    for (long page = position / PAGE; page * PAGE < position + bytes; page++) {
      if (rotten.contains(page)) {
        return true;
      }
    }
    return false;
  }

  /** The file as one life of a process has it. */
  BlockFile open(Power power) {
    return new Opened(power);
  }

  private final class Opened implements BlockFile {
    private final Power power;

    Opened(Power power) {
      this.power = power;
    }

    @Override
    public void write(long position, MemorySegment data) throws IOException {
      power.write();
      if (position % PAGE != 0 || data.byteSize() % PAGE != 0 || data.address() % PAGE != 0) {
        throw new IllegalStateException("not aligned: position=" + position + " data=" + data);
      }
      if (power.full()) {
        throw new NoSpaceException("disk full");
      }
      for (long at = 0; at < data.byteSize(); at += PAGE) {
        long page = (position + at) / PAGE;
        byte[] bytes = new byte[PAGE];
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, bytes, 0, PAGE);
        if (page % blockPages == 0 && durable.containsKey(page)) {
          world.met(Probe.BLOCK_REUSED);
        }
        dirty.add(page);
        rotten.remove(page);
        now.put(page, bytes);
      }
      size = Math.max(size, position + data.byteSize());
    }

    @Override
    public void writeCached(long position, MemorySegment data) throws IOException {
      write(position, data);
    }

    @Override
    public void read(long position, MemorySegment into) throws IOException {
      power.read();
      for (long at = 0; at < into.byteSize(); ) {
        long from = position + at;
        int length = (int) Math.min(PAGE - from % PAGE, into.byteSize() - at);
        byte[] page = now.get(from / PAGE);
        if (page == null) {
          into.asSlice(at, length).fill((byte) 0);
        } else {
          MemorySegment.copy(page, (int) (from % PAGE), into, ValueLayout.JAVA_BYTE, at, length);
        }
        at += length;
      }
    }

    @Override
    public void warm(long position, long bytes) {}

    @Override
    public void readDevice(long position, MemorySegment into) throws IOException {
      read(position, into);
    }

    @Override
    public void flush() throws IOException {
      power.write();
      if (!flushes) {
        return;
      }
      for (long page : dirty) {
        byte[] bytes = now.get(page);
        if (bytes != null) {
          durable.put(page, bytes);
        }
      }
      dirty.clear();
    }

    @Override
    public void preallocate(long position, long bytes) throws IOException {
      power.write();
      if (power.full()) {
        throw new NoSpaceException("disk full");
      }
      size = Math.max(size, position + bytes);
    }

    @Override
    public void punch(long position, long bytes) throws IOException {
      power.write();
      now.subMap(position / PAGE, (position + bytes) / PAGE).clear();
      durable.subMap(position / PAGE, (position + bytes) / PAGE).clear();
      dirty.subSet(position / PAGE, (position + bytes) / PAGE).clear();
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public FileChannel channel() {
      throw new UnsupportedOperationException("a simulated file has no channel");
    }

    @Override
    public void close() {}
  }
}
