package luciola.loader.ring;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * A file that the owner of a ring has open. Reads go their own ways; writes and syncs come one
 * after the other in the order of the ring, on a virtual thread that lives as long as there are
 * any. All syncs that wait are done by one. A read finds every write of this file that was
 * completed before it was put into the ring.
 */
final class RingFile {
  private static final int OPENS_MAX = 8;

  private final @Nullable ReadableFile reader;
  private final @Nullable WritableFile writer;
  private final ArrayDeque<Change> changes = new ArrayDeque<>();
  private boolean changing;
  private int underWay;
  private boolean closing;

  /** Writes completed, and how many of them are on the replicas. */
  private volatile long written;

  private volatile long settled;

  /** Where the others are. */
  private final UnsettledPages unsettled = new UnsettledPages();

  private RingFile(@Nullable ReadableFile reader, @Nullable WritableFile writer) {
    this.reader = reader;
    this.writer = writer;
  }

  /** How an operation is answered: bytes, or what went wrong. */
  interface Outcome {
    void ended(long bytes, @Nullable Throwable fault);
  }

  /** A write, or a sync where there are no bytes. */
  private record Change(long offset, @Nullable MemorySegment bytes, Outcome outcome) {}

  /** Opens a file for reading. */
  static RingFile reading(LuciolaFileSystem files, String path) {
    return new RingFile(files.openRead(path), null);
  }

  /** Opens a file for writing, and for reading if that is permitted. */
  static RingFile writing(LuciolaFileSystem files, String path, OpenOptions options) {
    OpenOptions how = options;
    for (int i = 0; i < OPENS_MAX; i++) {
      WritableFile writer = files.openWrite(path, how);
      try {
        ReadableFile reader = reader(files, path);
        if (reader == null || reader.inode().equals(writer.inode())) {
          return new RingFile(reader, writer);
        }
        reader.close(); // another file got that name in between
        writer.close();
        how =
            new OpenOptions(how.create(), false, false, how.mode(), how.chunkBytes(), how.stripe());
      } catch (RuntimeException e) {
        writer.close();
        throw e;
      }
    }
    throw new LuciolaException(
        ErrorCode.STALE_HANDLE, "open: another file each time: path=" + path);
  }

  private static @Nullable ReadableFile reader(LuciolaFileSystem files, String path) {
    try {
      return files.openRead(path);
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.PERMISSION_DENIED) {
        return null;
      }
      throw e;
    }
  }

  /** Length as far as it is known here. */
  long length() {
    return writer != null ? writer.length() : reader != null ? reader.length() : 0;
  }

  /** Begins an operation; false if the file is being closed. */
  synchronized boolean begin() {
    if (closing) {
      return false;
    }
    underWay++;
    return true;
  }

  /** Ends what {@link #begin} began. */
  synchronized void end() {
    underWay--;
    if (closing && underWay == 0) {
      notifyAll();
    }
  }

  boolean mayRead() {
    return reader != null;
  }

  boolean mayWrite() {
    return writer != null;
  }

  private ReadableFile reader() {
    if (reader == null) {
      throw new LuciolaException(ErrorCode.BAD_SESSION, "read: not open for reading");
    }
    return reader;
  }

  private WritableFile writer() {
    if (writer == null) {
      throw new LuciolaException(ErrorCode.BAD_SESSION, "write: not open for writing");
    }
    return writer;
  }

  /** Whether a read needs nothing but the bytes: it can go with others, and nobody waits. */
  boolean isPlain(long offset, long bytes) {
    return offset + bytes <= reader().length() && isSettled(offset, bytes);
  }

  private boolean isSettled(long offset, long bytes) {
    return settled == written || !unsettled.touch(offset, bytes);
  }

  /** A read that {@link #isPlain}. */
  ReadRange range(long offset, MemorySegment into) {
    return new ReadRange(reader(), offset, into);
  }

  /** Any read; waits for writes, and asks how long the file is. */
  CompletableFuture<Long> read(long offset, MemorySegment into) {
    ReadableFile from = reader();
    boolean pastEnd = offset + into.byteSize() > from.length();
    // Writes elsewhere may have made the file longer than others know it.
    if (!isSettled(offset, into.byteSize()) || (pastEnd && settled != written)) {
      sync();
    }
    if (pastEnd) {
      var _ = from.refresh();
    }
    return from.read(offset, into);
  }

  private void sync() {
    long until = written;
    writer().sync();
    unsettled.settled(until);
    synchronized (this) {
      settled = Math.max(settled, until);
    }
  }

  /** Writes after what was asked for before; the bytes stay as they are until then. */
  void write(long offset, MemorySegment bytes, Outcome outcome) {
    change(new Change(offset, bytes, outcome));
  }

  /** Makes durable what was asked to be written before. */
  void sync(Outcome outcome) {
    change(new Change(0, null, outcome));
  }

  private void change(Change change) {
    boolean first;
    synchronized (this) {
      changes.add(change);
      first = !changing;
      changing = true;
    }
    if (first) {
      Thread.ofVirtual().name("agent-ring-write").start(this::changeAll);
    }
  }

  private void changeAll() {
    for (List<Change> some = next(); !some.isEmpty(); some = next()) {
      List<Change> syncs = new ArrayList<>();
      for (Change each : some) {
        MemorySegment bytes = each.bytes();
        if (bytes == null) {
          syncs.add(each);
        } else {
          writeNow(each.offset(), bytes, each.outcome());
        }
      }
      if (!syncs.isEmpty()) {
        syncNow(syncs);
      }
    }
  }

  /** What has gathered; when that is nothing, the next change begins a new thread. */
  private synchronized List<Change> next() {
    List<Change> some = List.copyOf(changes);
    changes.clear();
    changing = !some.isEmpty();
    return some;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
  private void writeNow(long offset, MemorySegment bytes, Outcome outcome) {
    try {
      writer().write(offset, bytes);
      unsettled.wrote(written + 1, offset, bytes.byteSize());
      written++;
    } catch (RuntimeException e) {
      outcome.ended(0, e);
      return;
    }
    outcome.ended(bytes.byteSize(), null);
  }

  private void syncNow(List<Change> syncs) {
    RuntimeException fault = null;
    try {
      sync();
    } catch (RuntimeException e) {
      fault = e;
    }
    for (Change each : syncs) {
      each.outcome().ended(0, fault);
    }
  }

  /**
   * Waits for what is under way, then makes durable what was written.
   *
   * @throws LuciolaException what could not be written; the file is closed all the same
   */
  void close() {
    boolean interrupted = false;
    synchronized (this) {
      closing = true;
      while (underWay > 0) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    try {
      if (reader != null) {
        reader.close();
      }
    } finally {
      if (writer != null) {
        writer.close();
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
