package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.NoSpaceException;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that can lose power: pages written and not flushed are then kept, lost or torn
 * at a sector, each by chance. After that every call fails until {@link #powerOn}.
 */
public final class MemoryDisk {
  private static final int PAGE = BlockClass.PAGE_BYTES;
  private static final int SECTOR = 512;

  private final Map<Integer, Pages> files = new HashMap<>();
  private final Random random;
  private boolean off;
  private long flushes;
  private boolean full;
  private boolean flushFails;
  private final Set<Long> broken = new HashSet<>();

  /** An empty one. */
  public MemoryDisk(long seed) {
    random = new Random(seed);
  }

  /** The file of a class. */
  public synchronized BlockFile open(BlockClass blockClass) {
    return files.computeIfAbsent(blockClass.number(), Pages::new);
  }

  /** Loses power. */
  public synchronized void powerOff() {
    off = true;
    files.values().forEach(Pages::losePower);
  }

  /** Has power again. */
  public synchronized void powerOn() {
    off = false;
  }

  synchronized void setFull(boolean isFull) {
    full = isFull;
  }

  /** How often something was flushed. */
  public synchronized long flushes() {
    return flushes;
  }

  /** From now on pages of a block cannot be read until they are written again. */
  synchronized void breakPages(BlockClass blockClass, long position, long bytes) {
    for (long at = 0; at < bytes; at += PAGE) {
      broken.add(place(blockClass.number(), (position + at) / PAGE));
    }
  }

  private static long place(int file, long page) {
    return ((long) file << 56) + page;
  }

  synchronized void setFlushFails(boolean fails) {
    flushFails = fails;
  }

  /** Bytes of all files that have space behind them. */
  synchronized long heldBytes() {
    return files.values().stream().mapToLong(file -> (long) file.now.size() * PAGE).sum();
  }

  /** Turns one bit of a block over, on the medium. */
  public synchronized void flip(BlockClass blockClass, long position) {
    Pages file = files.get(blockClass.number());
    if (file == null) {
      throw new IllegalStateException("no such file: class=" + blockClass);
    }
    byte[] page = file.now.get(position / PAGE);
    if (page == null) {
      throw new IllegalStateException("nothing there: position=" + position);
    }
    page[(int) (position % PAGE)] ^= 4;
  }

  /** One file: what reads see, and what survives a loss of power. */
  private final class Pages implements BlockFile {
    private final int number;
    private TreeMap<Long, byte[]> now = new TreeMap<>();
    private final TreeMap<Long, byte[]> durable = new TreeMap<>();
    private final TreeSet<Long> dirty = new TreeSet<>();
    private long size;

    Pages(int number) {
      this.number = number;
    }

    private void losePower() {
      for (long page : dirty) {
        byte @Nullable [] written = now.get(page);
        byte @Nullable [] old = durable.get(page);
        int keep = random.nextInt(3);
        if (written != null && keep == 1) {
          durable.put(page, written);
        } else if (written != null && keep == 2) {
          byte[] torn = old == null ? new byte[PAGE] : old.clone();
          int sectors = 1 + random.nextInt(PAGE / SECTOR - 1);
          System.arraycopy(written, 0, torn, 0, sectors * SECTOR);
          durable.put(page, torn);
        }
      }
      dirty.clear();
      now = new TreeMap<>();
      durable.forEach((page, bytes) -> now.put(page, bytes.clone()));
    }

    private void check() throws IOException {
      if (off) {
        throw new IOException("power is off");
      }
    }

    @Override
    public void write(long position, MemorySegment data) throws IOException {
      synchronized (MemoryDisk.this) {
        check();
        if (position % PAGE != 0 || data.byteSize() % PAGE != 0 || data.address() % PAGE != 0) {
          throw new IOException("not aligned: position=" + position + " data=" + data);
        }
        for (long at = 0; at < data.byteSize(); at += PAGE) {
          dirty.add((position + at) / PAGE);
          broken.remove(place(number, (position + at) / PAGE));
          now.put((position + at) / PAGE, data.asSlice(at, PAGE).toArray(ValueLayout.JAVA_BYTE));
        }
        size = Math.max(size, position + data.byteSize());
      }
    }

    @Override
    public void writeCached(long position, MemorySegment data) throws IOException {
      write(position, data);
    }

    @Override
    public void read(long position, MemorySegment into) throws IOException {
      synchronized (MemoryDisk.this) {
        check();
        for (long at = 0; at < into.byteSize(); ) {
          long from = position + at;
          int length = (int) Math.min(PAGE - from % PAGE, into.byteSize() - at);
          if (broken.contains(place(number, from / PAGE))) {
            throw new IOException("read error: errno=5");
          }
          byte[] page = now.getOrDefault(from / PAGE, new byte[PAGE]);
          MemorySegment.copy(MemorySegment.ofArray(page), from % PAGE, into, at, length);
          at += length;
        }
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
      synchronized (MemoryDisk.this) {
        check();
        if (flushFails) {
          throw new IOException("flush error: errno=5");
        }
        flushes++;
        for (long page : dirty) {
          byte @Nullable [] bytes = now.get(page);
          if (bytes != null) {
            durable.put(page, bytes.clone());
          }
        }
        dirty.clear();
      }
    }

    @Override
    public void preallocate(long position, long bytes) throws IOException {
      synchronized (MemoryDisk.this) {
        check();
        if (full) {
          throw new NoSpaceException("disk full");
        }
        size = Math.max(size, position + bytes);
      }
    }

    @Override
    public void punch(long position, long bytes) throws IOException {
      synchronized (MemoryDisk.this) {
        check();
        now.subMap(position / PAGE, (position + bytes) / PAGE).clear();
        durable.subMap(position / PAGE, (position + bytes) / PAGE).clear();
      }
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public FileChannel channel() {
      throw new UnsupportedOperationException("a disk in memory has no channel");
    }

    @Override
    public void close() {}
  }
}
