package luciola.client.fuse;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mount and the threads that serve it. It ends when somebody unmounts the directory, or with
 * {@link #close}.
 *
 * <p>This process must never touch files under its own mount: a page fault there waits for a thread
 * that the same fault keeps from running.
 */
public final class FuseSession implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FuseSession.class);
  private static final int MAJOR = 7;
  private static final int MINOR = 45;
  private static final int MINOR_MIN = 31;
  private static final int READ_AHEAD_BYTES = 1 << 20;
  private static final int HEAD_BYTES = 8 << 10;
  private static final int PAGE = 4096;
  private static final int ENOSYS = 38;
  private static final int EIO = 5;
  private static final int E2BIG_TEXT = 64 << 10;
  private static final int NOTIFY_INVALIDATE_NODE = 2;
  private static final int NOTIFY_INVALIDATE_ENTRY = 3;
  private static final int BUFFERS_BESIDE_THREADS = 32;
  private static final long CLOSE_SECONDS = 10;

  /** What is asked of the kernel, as far as it offers it. */
  private static final long FEATURES =
      1L // reads of one file side by side
          | 1 << 1 // locks by fcntl
          | 1 << 3 // open with O_TRUNC is one step
          | 1 << 5 // writes of more than a page
          | 1 << 10 // locks by flock
          | 1 << 13 // entries with attributes
          | 1 << 14 // but only when they are wanted
          | 1 << 15 // direct I/O side by side
          | 1 << 18 // lookups and readdirs of one directory side by side
          | 1 << 22 // pages of a request
          | 1 << 28 // who writes takes set-id bits away here; asked for by a flag
          | 1 << 30 // a second word of features
          | 1L << 36; // mappings that are shared of files past the page cache; from 7.39 on

  private static final long WRITE_BACK = 1 << 16;

  private final Path directory;
  private final FuseOptions options;
  private final FuseDevice device;
  private final FuseHandler handler;

  /** The one that was used last is taken first: it is still in the processor's caches. */
  private final LinkedBlockingDeque<MemorySegment> buffers = new LinkedBlockingDeque<>();

  private final List<Thread> readers = new ArrayList<>();
  private final AtomicInteger reading;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final CountDownLatch greeted = new CountDownLatch(1);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ThreadLocal<MemorySegment> heads =
      ThreadLocal.withInitial(
          () -> Arena.ofAuto().allocate(FuseCodec.REPLY_BYTES_MAX + E2BIG_TEXT, 8));

  private FuseSession(Path directory, FuseOptions options, FuseDevice device, FuseHandler handler) {
    this.directory = directory;
    this.options = options;
    this.device = device;
    this.handler = handler;
    this.reading = new AtomicInteger(options.threads());
  }

  /**
   * Mounts, and returns once the kernel has agreed.
   *
   * @param directory that exists
   * @param source what lists of mounts show
   */
  public static FuseSession mount(
      Path directory, String source, FuseOptions options, FuseHandler handler) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    FuseDevice device = FuseDevice.mount(absolute, source, options);
    var session = new FuseSession(absolute, options, device, handler);
    session.start();
    return session;
  }

  private void start() throws IOException {
    for (int i = 0; i < options.threads() + BUFFERS_BESIDE_THREADS; i++) {
      buffers.add(Arena.ofAuto().allocate(options.writeBytesMax() + HEAD_BYTES, PAGE));
    }
    for (int i = 0; i < options.threads(); i++) {
      readers.add(Thread.ofPlatform().name("fuse-" + i).daemon().start(this::serve));
    }
    try {
      if (!greeted.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        close();
        throw new IOException("the kernel did not greet: directory=" + directory);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new IOException("interrupted: directory=" + directory, e);
    }
  }

  /** Completes when nothing is mounted any more. */
  public void await() throws InterruptedException {
    ended.await();
  }

  /** Whether the mount has ended. */
  public boolean isEnded() {
    return ended.getCount() == 0;
  }

  /** Unmounts; what is in use disappears from the tree now and ends with its last user. */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    if (!isEnded()) {
      int errno = FuseDevice.unmount(directory, false);
      if (errno != 0 && !FuseDevice.isNotMounted(errno)) {
        log.warn("mount is in use, it ends with its last user directory={}", directory);
        errno = FuseDevice.unmount(directory, true);
      }
      if (errno != 0 && !FuseDevice.isNotMounted(errno)) {
        log.warn("cannot unmount directory={} errno={}", directory, errno);
      }
    }
    boolean interrupted = false;
    try {
      if (!ended.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        log.warn("mount is still in use directory={}", directory);
      }
    } catch (InterruptedException _) {
      interrupted = true;
    }
    if (isEnded()) {
      device.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Removes a mount that some process, perhaps dead, left on a directory; 0 or an errno. */
  public static int unmount(Path directory, boolean lazily) {
    return FuseDevice.unmount(directory.toAbsolutePath().normalize(), lazily);
  }

  /**
   * What the kernel has cached of a node's bytes from an offset on, and of its attributes, is void.
   */
  public void invalidate(long node, long offset, long bytes) {
    MemorySegment notice = notice(NOTIFY_INVALIDATE_NODE, 24);
    notice.set(ValueLayout.JAVA_LONG_UNALIGNED, 16, node);
    notice.set(ValueLayout.JAVA_LONG_UNALIGNED, 24, offset);
    notice.set(ValueLayout.JAVA_LONG_UNALIGNED, 32, bytes);
    var _ = device.write(notice, List.of());
  }

  /** What the kernel knows of a name is void. Not from within a call about that directory. */
  public void invalidateEntry(long parent, FuseName name) {
    MemorySegment notice = notice(NOTIFY_INVALIDATE_ENTRY, 16 + name.bytes().length + 1);
    notice.set(ValueLayout.JAVA_LONG_UNALIGNED, 16, parent);
    notice.set(ValueLayout.JAVA_INT_UNALIGNED, 24, name.bytes().length);
    MemorySegment.copy(name.bytes(), 0, notice, ValueLayout.JAVA_BYTE, 32, name.bytes().length);
    var _ = device.write(notice, List.of());
  }

  private static MemorySegment notice(int code, int bytes) {
    MemorySegment notice = Arena.ofAuto().allocate(FuseCodec.REPLY_HEADER_BYTES + bytes, 8);
    notice.set(ValueLayout.JAVA_INT_UNALIGNED, 0, FuseCodec.REPLY_HEADER_BYTES + bytes);
    notice.set(ValueLayout.JAVA_INT_UNALIGNED, 4, code);
    return notice;
  }

  private void serve() {
    try {
      boolean open = true;
      while (open) {
        MemorySegment buffer = buffers.takeFirst();
        open = serveOne(buffer);
      }
    } catch (InterruptedException _) {
      log.debug("reader interrupted directory={}", directory);
    } finally {
      if (reading.decrementAndGet() == 0) {
        ended.countDown();
        greeted.countDown();
      }
    }
  }

  /** Serves one request; false once there are no more. */
  private boolean serveOne(MemorySegment buffer) {
    long length = device.read(buffer);
    if (length < 0) {
      buffers.addFirst(buffer);
      int errno = (int) -length;
      if (errno == FuseDevice.ENODEV) {
        return false;
      }
      if (errno != FuseDevice.EINTR && errno != FuseDevice.EAGAIN && errno != FuseDevice.ENOENT) {
        log.error("mount ends: /dev/fuse cannot be read directory={} errno={}", directory, errno);
        return false;
      }
      return true;
    }
    MemorySegment request = buffer.asSlice(0, length);
    FuseCodec.Header header = FuseCodec.Header.of(request);
    MemorySegment body = request.asSlice(FuseCodec.REQUEST_HEADER_BYTES);
    if (header.opcode() == FuseOpcode.INIT) {
      greet(header, body);
      buffers.addFirst(buffer);
      return true;
    }
    dispatch(header, body, buffer);
    return true;
  }

  private void greet(FuseCodec.Header header, MemorySegment body) {
    FuseCodec.Agreement offered = FuseCodec.Agreement.of(body);
    MemorySegment head = heads.get();
    if (offered.major() != MAJOR || offered.minor() < MINOR_MIN) {
      log.error(
          "kernel speaks another protocol: major={} minor={}", offered.major(), offered.minor());
      send(header.unique(), new FuseReply.Failed(71));
      return;
    }
    long wanted = FEATURES | (options.writeBack() ? WRITE_BACK : 0);
    var agreed =
        new FuseCodec.Agreement(
            MAJOR,
            MINOR,
            Math.max(offered.readAheadBytes(), READ_AHEAD_BYTES),
            offered.flags() & wanted);
    int bytes = agreed.write(header.unique(), options, head);
    int errno = device.write(head.asSlice(0, bytes), List.of());
    log.info(
        "mounted directory={} kernel={}.{} features={} errno={}",
        directory,
        offered.major(),
        offered.minor(),
        Long.toHexString(agreed.flags()),
        errno);
    greeted.countDown();
  }

  private void dispatch(FuseCodec.Header header, MemorySegment body, MemorySegment buffer) {
    FuseOperation operation;
    try {
      operation = FuseCodec.decode(header.opcode(), body);
    } catch (IndexOutOfBoundsException e) {
      log.error("request cut off opcode={} bytes={}", header.opcode(), header.bytes());
      buffers.addFirst(buffer);
      if (FuseOpcode.isAnswered(header.opcode())) {
        send(header.unique(), new FuseReply.Failed(EIO));
      }
      return;
    }
    if (operation instanceof FuseOperation.Forget(List<FuseOperation.Forgotten> nodes)
        && header.opcode() == FuseOpcode.FORGET) {
      operation =
          new FuseOperation.Forget(
              List.of(new FuseOperation.Forgotten(header.node(), nodes.getFirst().lookups())));
    }
    // Only a write's bytes are still read from the buffer once the operation is decoded.
    boolean keeps = operation instanceof FuseOperation.Write;
    if (!keeps) {
      buffers.addFirst(buffer);
    }
    var call = new Call(header, operation, keeps ? buffer : null);
    try {
      if (operation instanceof FuseOperation.Unknown) {
        call.answer(new FuseReply.Failed(ENOSYS));
      } else {
        handler.handle(call);
      }
    } catch (RuntimeException e) {
      log.error("handler failed operation={} node={}", operation, header.node(), e);
      call.failIfUnanswered();
    }
  }

  private void send(long unique, FuseReply reply) {
    List<MemorySegment> parts = reply instanceof FuseReply.Data data ? data.parts() : List.of();
    long dataBytes = 0;
    for (MemorySegment part : parts) {
      dataBytes += part.byteSize();
    }
    MemorySegment head = heads.get();
    int bytes = FuseCodec.encode(unique, reply, dataBytes, head);
    int errno = device.write(head.asSlice(0, bytes), parts);
    // ENOENT: the program was interrupted; ENODEV: the mount is gone.
    if (errno != 0 && errno != FuseDevice.ENOENT && errno != FuseDevice.ENODEV) {
      log.error("reply refused unique={} reply={} errno={}", unique, reply, errno);
    }
  }

  /** One request. */
  private final class Call implements FuseCall {
    private final FuseCodec.Header header;
    private final FuseOperation operation;
    private final AtomicBoolean answered = new AtomicBoolean();
    private final @org.jspecify.annotations.Nullable MemorySegment buffer;

    Call(
        FuseCodec.Header header,
        FuseOperation operation,
        @org.jspecify.annotations.Nullable MemorySegment buffer) {
      this.header = header;
      this.operation = operation;
      this.buffer = buffer;
    }

    @Override
    public long unique() {
      return header.unique();
    }

    @Override
    public long node() {
      return header.node();
    }

    @Override
    public int uid() {
      return header.uid();
    }

    @Override
    public int gid() {
      return header.gid();
    }

    @Override
    public int pid() {
      return header.pid();
    }

    @Override
    public FuseOperation operation() {
      return operation;
    }

    @Override
    public void answer(FuseReply reply) {
      if (answered.getAndSet(true)) {
        throw new IllegalStateException("answered twice: " + operation);
      }
      try {
        if (FuseOpcode.isAnswered(header.opcode())) {
          send(header.unique(), reply);
        }
      } finally {
        if (buffer != null) {
          buffers.addFirst(buffer);
        }
        if (reply instanceof FuseReply.Data data) {
          data.release().run();
        }
      }
    }

    void failIfUnanswered() {
      if (!answered.get()) {
        answer(new FuseReply.Failed(EIO));
      }
    }
  }
}
