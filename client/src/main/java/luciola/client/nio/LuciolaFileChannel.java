package luciola.client.nio;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.InodeReader;
import luciola.client.cluster.InodeWriter;
import luciola.grpc.v1.Inode;
import luciola.protocol.connection.CopyCounter;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.InodeId;
import org.jspecify.annotations.Nullable;

/**
 * An open file. Direct buffers are filled straight from the connection; heap buffers through native
 * memory of the file system. A channel that reads and writes sends its writes before it reads. An
 * interrupt closes no channel: the call ends by itself.
 */
final class LuciolaFileChannel extends FileChannel {
  private static final Thread OTHER = Thread.ofVirtual().unstarted(() -> {});

  private final LuciolaNioFileSystem fileSystem;
  private final String path;
  private final @Nullable ReadableFile reader;
  private final @Nullable WritableFile writer;
  private final OpenMode mode;
  private final ReentrantLock positionLock = new ReentrantLock();
  private volatile boolean unsent;
  private long position;

  /** With a reader, a writer or both, which it closes. */
  LuciolaFileChannel(
      LuciolaNioFileSystem fileSystem,
      String path,
      @Nullable ReadableFile reader,
      @Nullable WritableFile writer,
      OpenMode mode) {
    this.fileSystem = fileSystem;
    this.path = path;
    this.reader = reader;
    this.writer = writer;
    this.mode = mode;
    this.position = mode.append() && writer != null ? writer.length() : 0;
  }

  private ReadableFile reader() throws IOException {
    checkOpen();
    if (reader == null) {
      throw new NonReadableChannelException();
    }
    return reader;
  }

  private WritableFile writer() throws IOException {
    checkOpen();
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
    Objects.checkFromIndexSize(offset, length, into.length);
    var _ = reader();
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
    checkNotNegative(at);
    ReadableFile file = reader();
    if (into.isReadOnly()) {
      throw new IllegalArgumentException("a buffer that is only read");
    }
    if (!into.hasRemaining()) {
      return 0;
    }
    checkLocks();
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
    int done = 0;
    try (Bounces.Lent lent = fileSystem.bounces().take(target.byteSize())) {
      MemorySegment bounce = lent.segment();
      while (done < target.byteSize()) {
        int step = (int) Math.min(bounce.byteSize(), target.byteSize() - done);
        int count = fill(file, bounce.asSlice(0, step), at + done);
        MemorySegment.copy(bounce, 0, target, done, count);
        CopyCounter.copied(count);
        done += count;
        if (count < step) {
          break;
        }
      }
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
      if (mode.append()) {
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
    Objects.checkFromIndexSize(offset, length, from.length);
    var _ = writer();
    long sum = 0;
    for (int i = offset; i < offset + length; i++) {
      sum += write(from[i]);
    }
    return sum;
  }

  @Override
  public int write(ByteBuffer from, long at) throws IOException {
    checkNotNegative(at);
    WritableFile file = writer();
    checkLocks();
    int count = from.remaining();
    MemorySegment bytes = MemorySegment.ofBuffer(from);
    unsent = true;
    IoErrors.translate(path, () -> file.write(at, bytes));
    from.position(from.limit());
    if (mode.durable()) {
      IoErrors.translate(path, file::sync);
    }
    return count;
  }

  @Override
  public long position() throws IOException {
    positionLock.lock();
    try {
      checkOpen();
      return position;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public FileChannel position(long newPosition) throws IOException {
    checkOpen();
    checkNotNegative(newPosition);
    positionLock.lock();
    try {
      position = newPosition;
      return this;
    } finally {
      positionLock.unlock();
    }
  }

  @Override
  public long size() throws IOException {
    checkOpen();
    WritableFile own = writer;
    return own != null ? own.length() : IoErrors.translated(path, reader()::refresh);
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    checkOpen();
    checkNotNegative(size);
    WritableFile file = writer();
    checkLocks();
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
    checkOpen();
    checkLocks();
    WritableFile own = writer;
    if (own != null) {
      IoErrors.translate(path, own::sync);
    }
  }

  @Override
  public long transferTo(long at, long count, WritableByteChannel target) throws IOException {
    checkOpen();
    if (!target.isOpen()) {
      throw new ClosedChannelException();
    }
    var _ = reader();
    if (target instanceof LuciolaFileChannel own && own.writer == null) {
      throw new NonWritableChannelException();
    }
    checkNotNegative(at);
    checkNotNegative(count);
    long sum = 0;
    try (Bounces.Lent lent = fileSystem.bounces().take(count)) {
      while (sum < count) {
        ByteBuffer buffer =
            lent.segment()
                .asSlice(0, Math.min(lent.segment().byteSize(), count - sum))
                .asByteBuffer();
        if (read(buffer, at + sum) < 0) {
          break;
        }
        buffer.flip();
        sum += target.write(buffer);
        if (buffer.hasRemaining()) {
          break;
        }
      }
    }
    return sum;
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long at, long count) throws IOException {
    checkOpen();
    if (!source.isOpen()) {
      throw new ClosedChannelException();
    }
    var _ = writer();
    if (source instanceof LuciolaFileChannel own && own.reader == null) {
      throw new NonReadableChannelException();
    }
    checkNotNegative(at);
    checkNotNegative(count);
    long sum = 0;
    try (Bounces.Lent lent = fileSystem.bounces().take(count)) {
      while (sum < count) {
        ByteBuffer buffer =
            lent.segment()
                .asSlice(0, Math.min(lent.segment().byteSize(), count - sum))
                .asByteBuffer();
        if (source.read(buffer) <= 0) {
          break;
        }
        buffer.flip();
        sum += write(buffer, at + sum);
      }
    }
    return sum;
  }

  /** A copy of the range as it is now; see {@link MappedCopy}. */
  @Override
  public MappedByteBuffer map(MapMode mapMode, long at, long size) throws IOException {
    checkMappable(mapMode, at, size);
    return MappedCopy.buffer(this, mapMode, at, size);
  }

  /** A copy of the range as it is now; see {@link MappedCopy}. */
  @Override
  public MemorySegment map(MapMode mapMode, long at, long size, Arena arena) throws IOException {
    checkMappable(mapMode, at, size);
    return MappedCopy.segment(this, mapMode, at, size, arena);
  }

  private void checkMappable(MapMode mapMode, long at, long size) throws IOException {
    checkOpen();
    checkNotNegative(at);
    checkNotNegative(size);
    checkNotNegative(at + size);
    if (!mapMode.equals(MapMode.READ_ONLY)) {
      var _ = writer();
    }
    var _ = reader();
  }

  @Override
  public FileLock lock(long at, long size, boolean shared) throws IOException {
    FileLock lock = lock(at, size, shared, true);
    if (lock == null) {
      throw new AsynchronousCloseException();
    }
    return lock;
  }

  @Override
  public @Nullable FileLock tryLock(long at, long size, boolean shared) throws IOException {
    return lock(at, size, shared, false);
  }

  private @Nullable FileLock lock(long at, long size, boolean shared, boolean waits)
      throws IOException {
    InodeId file = shared ? reader().inode() : writer().inode();
    long toEnd = Long.MAX_VALUE - Math.max(0, at);
    checkLocks();
    return fileSystem.locks().take(this, file, at, size == 0 ? toEnd : size, shared, waits);
  }

  String path() {
    return path;
  }

  private InodeId inode() {
    if (writer != null) {
      return writer.inode();
    }
    if (reader == null) {
      throw new IllegalStateException("neither read nor written: " + path);
    }
    return reader.inode();
  }

  boolean isOf(InodeId file) {
    return inode().equals(file);
  }

  /** What the servers told of the file. */
  void learn(Inode inode) {
    if (writer instanceof InodeWriter own) {
      own.learn(inode);
    }
    if (reader instanceof InodeReader own) {
      own.learn(inode.getLength());
    }
  }

  /** What was written here is durable, and known to all with the time of it. */
  void publish() throws IOException {
    if (writer instanceof InodeWriter own) {
      if (own.isModified() || !own.isSettled()) {
        IoErrors.translate(path, own::publish);
      }
    } else if (writer != null) {
      IoErrors.translate(path, writer::sync);
    }
  }

  /** What was written under a lock that was lost, and not sent yet, is dropped. */
  private void checkLocks() throws IOException {
    if (fileSystem.locks().isLost(inode())) {
      if (writer instanceof InodeWriter own) {
        own.lose();
      }
      throw ChannelLocks.lost(path);
    }
  }

  private void checkOpen() throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  private static void checkNotNegative(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("negative: " + value);
    }
  }

  @Override
  protected void implCloseChannel() throws IOException {
    fileSystem.closed(this);
    boolean lost = fileSystem.locks().isLost(inode());
    try {
      if (reader != null) {
        reader.close();
      }
      if (lost && writer instanceof InodeWriter own) {
        own.lose();
      } else if (writer != null) {
        IoErrors.translate(path, writer::close);
      }
    } finally {
      try {
        fileSystem.locks().releaseAll(this);
      } finally {
        if (mode.deleteOnClose()) {
          IoErrors.translate(path, this::removeIfThere);
        }
      }
    }
    if (lost && writer != null) {
      throw ChannelLocks.lost(path);
    }
  }

  private void removeIfThere() {
    try {
      fileSystem.remove(path);
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
    }
  }
}
