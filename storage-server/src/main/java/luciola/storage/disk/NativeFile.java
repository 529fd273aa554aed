package luciola.storage.disk;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * A file descriptor of Linux, through the page cache or past it (O_DIRECT), with what FileChannel
 * lacks: preallocation and hole punching, and no closing by a thread's interrupt. A file system
 * without preallocation answers EOPNOTSUPP, which is taken as done: its files are sparse then.
 */
public final class NativeFile implements AutoCloseable {
  private static final int O_RDONLY = 0;
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int O_DIRECT =
      System.getProperty("os.arch", "").equals("aarch64") ? 0x10000 : 0x4000;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int EINTR = 4;
  private static final int EINVAL = 22;
  private static final int ENOSPC = 28;
  private static final int EOPNOTSUPP = 95;
  private static final int EDQUOT = 122;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle FDATASYNC =
      handle("fdatasync", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle FALLOCATE =
      handle(
          "fallocate",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));
  private static final FunctionDescriptor TRANSFER =
      FunctionDescriptor.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);
  private static final MethodHandle READAHEAD =
      handle(
          "readahead",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle PREAD = handle("pread", TRANSFER);
  private static final MethodHandle PWRITE = handle("pwrite", TRANSFER);

  /** Where a call leaves its errno; one for each thread, since small reads are many. */
  private static final ThreadLocal<MemorySegment> CALL_STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private final UseGuard guard = new UseGuard();
  private final Path path;
  private final int descriptor;
  private final boolean direct;

  private NativeFile(Path path, int descriptor, boolean direct) {
    this.path = path;
    this.descriptor = descriptor;
    this.direct = direct;
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker linker = Linker.nativeLinker();
    var options = new Linker.Option[more.length + 1];
    options[0] = Linker.Option.captureCallState("errno");
    System.arraycopy(more, 0, options, 1, more.length);
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
  }

  /** Opens an existing file, past the page cache if that is wanted and possible. */
  public static NativeFile open(Path path, boolean wantDirect) throws IOException {
    return open(path, O_RDWR, wantDirect);
  }

  /** Opens an existing file that is only read, past the page cache if that is possible. */
  static NativeFile openToRead(Path path) throws IOException {
    return open(path, O_RDONLY, true);
  }

  private static NativeFile open(Path path, int access, boolean wantDirect) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment name = arena.allocateFrom(path.toString());
      int flags = access | O_CLOEXEC;
      boolean direct = wantDirect;
      int descriptor = (int) OPEN.invokeExact(state, name, direct ? flags | O_DIRECT : flags, 0);
      if (descriptor < 0 && direct && errno(state) == EINVAL) {
        direct = false;
        descriptor = (int) OPEN.invokeExact(state, name, flags, 0);
      }
      if (descriptor < 0) {
        throw new IOException("open: path=" + path + " errno=" + errno(state));
      }
      return new NativeFile(path, descriptor, direct);
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("open: path=" + path, e);
    }
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** Whether transfers go past the page cache. */
  public boolean direct() {
    return direct;
  }

  /** Writes all of a native segment; aligned to pages in memory, position and length. */
  public void write(long position, MemorySegment data) throws IOException {
    transfer("write", PWRITE, position, data);
  }

  /** Fills a native segment; aligned to pages in memory, position and length. */
  void read(long position, MemorySegment into) throws IOException {
    transfer("read", PREAD, position, into);
  }

  private void transfer(String operation, MethodHandle call, long position, MemorySegment data)
      throws IOException {
    MemorySegment state = CALL_STATE.get();
    enter(operation);
    try {
      long done = 0;
      while (done < data.byteSize()) {
        MemorySegment rest = done == 0 ? data : data.asSlice(done);
        long count =
            (long) call.invokeExact(state, descriptor, rest, rest.byteSize(), position + done);
        if (count > 0) {
          done += count;
        } else if (count == 0) {
          throw new EOFException(operation + ": path=" + path + " position=" + (position + done));
        } else {
          check(operation, errno(state));
        }
      }
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(operation + ": path=" + path, e);
    } finally {
      guard.exit();
    }
  }

  /** A descriptor that was closed may be another file's by now. */
  private void enter(String operation) throws IOException {
    if (!guard.enter()) {
      throw new IOException(operation + ": file is closed: path=" + path);
    }
  }

  /** Asks for a range to be brought into the page cache; does not wait for it. */
  void readAhead(long position, long bytes) throws IOException {
    enter("readahead");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      var _ = (long) READAHEAD.invokeExact(state, descriptor, position, bytes);
    } catch (Throwable e) {
      throw new IllegalStateException("readahead: path=" + path, e);
    } finally {
      guard.exit();
    }
  }

  /** Makes everything written durable. */
  public void flush() throws IOException {
    int errno;
    enter("fdatasync");
    try {
      do {
        errno = fdatasync();
      } while (errno == EINTR);
    } finally {
      guard.exit();
    }
    check("fdatasync", errno);
  }

  private int fdatasync() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      return (int) FDATASYNC.invokeExact(state, descriptor) == 0 ? 0 : errno(state);
    } catch (Throwable e) {
      throw new IllegalStateException("fdatasync: path=" + path, e);
    }
  }

  void preallocate(long position, long bytes) throws IOException {
    allocate(0, position, bytes);
  }

  void punch(long position, long bytes) throws IOException {
    allocate(PUNCH_HOLE | KEEP_SIZE, position, bytes);
  }

  private void allocate(int mode, long position, long bytes) throws IOException {
    int errno;
    enter("fallocate");
    try {
      do {
        errno = fallocate(mode, position, bytes);
      } while (errno == EINTR);
    } finally {
      guard.exit();
    }
    if (errno != EOPNOTSUPP) {
      check("fallocate", errno);
    }
  }

  private int fallocate(int mode, long position, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) FALLOCATE.invokeExact(state, descriptor, mode, position, bytes);
      return result == 0 ? 0 : errno(state);
    } catch (Throwable e) {
      throw new IllegalStateException("fallocate: path=" + path, e);
    }
  }

  private void check(String operation, int errno) throws IOException {
    if (errno == ENOSPC || errno == EDQUOT) {
      throw new NoSpaceException("disk full: operation=" + operation + " path=" + path);
    }
    if (errno != 0 && errno != EINTR) {
      throw new IOException(operation + ": path=" + path + " errno=" + errno);
    }
  }

  /** Waits for calls that are in the kernel; later ones fail. Closing twice is harmless. */
  @Override
  public void close() {
    if (!guard.close()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      var _ = (int) CLOSE.invokeExact(state, descriptor);
    } catch (Throwable e) {
      throw new IllegalStateException("close: path=" + path, e);
    }
  }
}
