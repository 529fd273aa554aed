package luciola.client.nio;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * An open file. Direct buffers are filled straight from the connection; heap buffers through native
 * memory of the channel. A channel that reads and writes sends its writes before it reads.
 */
final class LuciolaFileChannel extends FileChannel {
  private static final int BOUNCE_BYTES = 1 << 20;
  private static final Thread OTHER = Thread.ofVirtual().unstarted(() -> {});

  private final String path;
  private final @Nullable ReadableFile reader;
  private final @Nullable WritableFile writer;
  private final boolean append;
  private final Runnable onClose;
  private final ReentrantLock positionLock = new ReentrantLock();
  private final ConcurrentLinkedQueue<MemorySegment> bounces = new ConcurrentLinkedQueue<>();
  private volatile boolean unsent;
  private long position;

  LuciolaFileChannel(
      String path,
      @Nullable ReadableFile reader,
      @Nullable WritableFile writer,
      boolean append,
      Runnable onClose) {
    this.path = path;
    this.reader = reader;
    this.writer = writer;
    this.append = append;
    this.onClose = onClose;
  }

  private ReadableFile reader() throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    if (reader == null) {
      throw new NonReadableChannelException();
    }
    return reader;
  }

  private WritableFile writer() throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    if (writer == null) {
      throw new NonWritableChannelException();
    }
    return writer;
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    positionLock.lock();
    try {
      int count = read(into, position);
      position += Math.max(0, count);
      return count;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) throws IOException {
    long sum = 0;
    for (int i = offset; i < offset + length; i++) {
      if (into[i].hasRemaining()) {
        int count = read(into[i]);
        if (count < 0) {
          return sum == 0 ? -1 : sum;
        }
        sum += count;
        if (into[i].hasRemaining()) {
          return sum;
        }
      }
    }
    return sum;
  }

  @Override
  public int read(ByteBuffer into, long at) throws IOException {
    ReadableFile file = reader();
    if (at < 0) {
      throw new IllegalArgumentException("negative position: " + at);
    }
    if (!into.hasRemaining()) {
      return 0;
    }
    sendBeforeRead();
    if (at >= file.length() && IoErrors.translated(path, file::refresh) <= at) {
      return -1;
    }
    int count = into.isDirect() ? readDirect(file, into, at) : readHeap(file, into, at);
    into.position(into.position() + count);
    return count;
  }

  private void sendBeforeRead() throws IOException {
    WritableFile own = writer;
    if (own != null && unsent) {
      unsent = false;
      IoErrors.translate(path, own::sync);
      IoErrors.translated(path, reader()::refresh);
    }
  }

  private int readDirect(ReadableFile file, ByteBuffer into, long at) throws IOException {
    MemorySegment segment = MemorySegment.ofBuffer(into);
    return segment.isAccessibleBy(OTHER) ? fill(file, segment, at) : readHeap(file, into, at);
  }

  private int readHeap(ReadableFile file, ByteBuffer into, long at) throws IOException {
    MemorySegment target = MemorySegment.ofBuffer(into);
    MemorySegment kept = bounces.poll();
    MemorySegment bounce = kept == null ? Arena.ofAuto().allocate(BOUNCE_BYTES) : kept;
    int done = 0;
    try {
      while (done < target.byteSize()) {
        int step = (int) Math.min(BOUNCE_BYTES, target.byteSize() - done);
        int count = fill(file, bounce.asSlice(0, step), at + done);
        MemorySegment.copy(bounce, 0, target, done, count);
        done += count;
        if (count < step) {
          break;
        }
      }
    } finally {
      bounces.add(bounce);
    }
    return done;
  }

  private int fill(ReadableFile file, MemorySegment into, long at) throws IOException {
    try {
      return Math.toIntExact(file.read(at, into).join());
    } catch (CompletionException e) {
      if (e.getCause() instanceof LuciolaException fault) {
        throw IoErrors.of(path, fault);
      }
      throw new IOException("read: path=" + path, e);
    }
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    positionLock.lock();
    try {
      if (append) {
        position = writer().length();
      }
      int count = write(from, position);
      position += count;
      return count;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) throws IOException {
    long sum = 0;
    for (int i = offset; i < offset + length; i++) {
      sum += write(from[i]);
    }
    return sum;
  }

  @Override
  public int write(ByteBuffer from, long at) throws IOException {
    WritableFile file = writer();
    if (at < 0) {
      throw new IllegalArgumentException("negative position: " + at);
    }
    int count = from.remaining();
    MemorySegment bytes = MemorySegment.ofBuffer(from);
    unsent = true;
    IoErrors.translate(path, () -> file.write(at, bytes));
    from.position(from.limit());
    return count;
  }

  @Override
  public long position() throws IOException {
    positionLock.lock();
    try {
      if (!isOpen()) {
        throw new ClosedChannelException();
      }
      return append && writer != null ? writer.length() : position;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public FileChannel position(long newPosition) throws IOException {
    if (newPosition < 0) {
      throw new IllegalArgumentException("negative position: " + newPosition);
    }
    positionLock.lock();
    try {
      if (!isOpen()) {
        throw new ClosedChannelException();
      }
      position = newPosition;
      return this;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public long size() throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    WritableFile own = writer;
    return own != null ? own.length() : IoErrors.translated(path, reader()::refresh);
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    WritableFile file = writer();
    positionLock.lock();
    try {
      if (size < file.length()) {
        unsent = true;
        IoErrors.translate(path, () -> file.truncate(size));
      }
      position = Math.min(position, size);
      return this;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public void force(boolean metaData) throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    WritableFile own = writer;
    if (own != null) {
      IoErrors.translate(path, own::sync);
    }
  }

  @Override
  public long transferTo(long at, long count, WritableByteChannel target) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(count, BOUNCE_BYTES));
    long sum = 0;
    while (sum < count) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), count - sum));
      if (read(buffer, at + sum) < 0) {
        break;
      }
      buffer.flip();
      int sent = target.write(buffer);
      sum += sent;
      if (buffer.hasRemaining()) {
        break;
      }
    }
    return sum;
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long at, long count) throws IOException {
    if (at > size()) {
      return 0;
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(count, BOUNCE_BYTES));
    long sum = 0;
    while (sum < count) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), count - sum));
      if (source.read(buffer) <= 0) {
        break;
      }
      buffer.flip();
      sum += write(buffer, at + sum);
    }
    return sum;
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long at, long size) {
    throw new UnsupportedOperationException("a file cannot be mapped: path=" + path);
  }

  @Override
  public FileLock lock(long at, long size, boolean shared) {
    throw new UnsupportedOperationException("no locks: path=" + path);
  }

  @Override
  public FileLock tryLock(long at, long size, boolean shared) {
    throw new UnsupportedOperationException("no locks: path=" + path);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    try {
      if (reader != null) {
        reader.close();
      }
      if (writer != null) {
        IoErrors.translate(path, writer::close);
      }
    } finally {
      onClose.run();
    }
  }
}
