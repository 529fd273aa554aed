package luciola.cli.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * A file of this machine as a program has it open, by the C library: so that its pages can be
 * dropped from the kernel's cache, which Java has no call for. Any thread, one call at a time.
 */
final class LocalFile implements AutoCloseable {
  /** Whether it is read or written past the kernel's page cache. */
  enum Way {
    BUFFERED,
    DIRECT
  }

  private static final int O_RDWR = 2;
  private static final int O_CREAT = 0100;
  private static final int O_DIRECT = 040000;
  private static final int O_CLOEXEC = 02000000;
  private static final int DONT_NEED = 4;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle PREAD = transfer("pread");
  private static final MethodHandle PWRITE = transfer("pwrite");
  private static final MethodHandle FSYNC =
      handle("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FTRUNCATE =
      handle("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle FADVISE =
      handle(
          "posix_fadvise",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private final Path path;
  private final int descriptor;
  private final MemorySegment state = Arena.ofAuto().allocate(STATE);

  private LocalFile(Path path, int descriptor) {
    this.path = path;
    this.descriptor = descriptor;
  }

  private static MethodHandle transfer(String name) {
    return handle(name, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
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

  /** Opens a file for reading and writing; makes it if it is not there. */
  static LocalFile open(Path path, Way way) throws IOException {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | (way == Way.DIRECT ? O_DIRECT : 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int descriptor =
          (int) OPEN.invokeExact(state, arena.allocateFrom(path.toString()), flags, 0644);
      if (descriptor < 0) {
        throw new IOException("open: path=" + path + " errno=" + (int) ERRNO.get(state, 0L));
      }
      return new LocalFile(path, descriptor);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("open: path=" + path, e);
    }
  }

  /** Reads all of it. */
  void read(long offset, MemorySegment into) throws IOException {
    transferAll(PREAD, "read", offset, into);
  }

  /** Writes all of it. */
  void write(long offset, MemorySegment from) throws IOException {
    transferAll(PWRITE, "write", offset, from);
  }

  private void transferAll(MethodHandle by, String what, long offset, MemorySegment bytes)
      throws IOException {
    long done = 0;
    while (done < bytes.byteSize()) {
      long count;
      try {
        count =
            (long)
                by.invokeExact(
                    state, descriptor, bytes.asSlice(done), bytes.byteSize() - done, offset + done);
      } catch (Throwable e) {
        throw new IllegalStateException(what + ": path=" + path, e);
      }
      if (count <= 0) {
        throw failure(what + " at " + (offset + done), count == 0 ? 0 : errno());
      }
      done += count;
    }
  }

  /** Everything written is durable. */
  void sync() throws IOException {
    try {
      check("fsync", (int) FSYNC.invokeExact(state, descriptor));
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("fsync: path=" + path, e);
    }
  }

  void truncate(long length) throws IOException {
    try {
      check("ftruncate", (int) FTRUNCATE.invokeExact(state, descriptor, length));
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("ftruncate: path=" + path, e);
    }
  }

  /** The kernel forgets what it has cached of a range. */
  void forgetPages(long offset, long bytes) throws IOException {
    try {
      int errno = (int) FADVISE.invokeExact(state, descriptor, offset, bytes, DONT_NEED);
      if (errno != 0) {
        throw failure("fadvise", errno);
      }
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("fadvise: path=" + path, e);
    }
  }

  private void check(String what, int result) throws IOException {
    if (result != 0) {
      throw failure(what, errno());
    }
  }

  private int errno() {
    return (int) ERRNO.get(state, 0L);
  }

  private IOException failure(String what, int errno) {
    return new IOException(what + ": path=" + path + " errno=" + errno);
  }

  @Override
  public void close() throws IOException {
    try {
      check("close", (int) CLOSE.invokeExact(state, descriptor));
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("close: path=" + path, e);
    }
  }
}
