package luciola.loader.ring;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Wakes one sleeping thread of another process: a named pipe that is never waited for when written
 * to, and that a program may watch together with its other descriptors. Both sides open it for both
 * directions, so that no open waits, and a write to it after the other side has died is no signal.
 */
final class WakePipe implements AutoCloseable {
  private static final int O_RDWR_NONBLOCK_CLOEXEC = 0x80802;
  private static final int MODE_OWNER_ONLY = 0600;
  private static final short POLLIN = 1;
  private static final int POLL_EVENTS = 4;
  private static final int BYTES_MAX = 4096;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle MKFIFO =
      handle("mkfifo", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), true);
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          true,
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT), false);
  private static final MethodHandle READ =
      handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), false);
  private static final MethodHandle WRITE =
      handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG), false);
  private static final MethodHandle POLL =
      handle("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT), false);

  private final Path path;
  private final int descriptor;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment poll = arena.allocate(8, 8);
  private final MemorySegment bytes = arena.allocate(BYTES_MAX);
  private final MemorySegment one = arena.allocate(1);

  private WakePipe(Path path, int descriptor) {
    this.path = path;
    this.descriptor = descriptor;
    poll.set(JAVA_INT, 0, descriptor);
    poll.set(JAVA_SHORT, POLL_EVENTS, POLLIN);
    one.fill((byte) 1);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, boolean errno, Linker.Option... more) {
    Linker linker = Linker.nativeLinker();
    List<Linker.Option> options = new ArrayList<>(List.of(more));
    if (errno) {
      options.add(Linker.Option.captureCallState("errno"));
    }
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        descriptor,
        options.toArray(Linker.Option[]::new));
  }

  /** Makes one that only this user may open. */
  static WakePipe create(Path path) {
    var _ = call("mkfifo", path, (s, file) -> (int) MKFIFO.invokeExact(s, file, MODE_OWNER_ONLY));
    try {
      return open(path);
    } catch (RuntimeException e) {
      delete(path);
      throw e;
    }
  }

  /** Opens one that the other side made. */
  static WakePipe open(Path path) {
    return new WakePipe(
        path,
        call(
            "open",
            path,
            (s, file) -> (int) OPEN.invokeExact(s, file, O_RDWR_NONBLOCK_CLOEXEC, 0)));
  }

  /** A function of the system on a path. */
  private interface PathCall {
    int on(MemorySegment state, MemorySegment path) throws Throwable;
  }

  private static int call(String name, Path path, PathCall function) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment state = scratch.allocate(STATE);
      int result = function.on(state, scratch.allocateFrom(path.toString()));
      if (result < 0) {
        int errno = (int) ERRNO.get(state, 0L);
        throw new LuciolaException(
            ErrorCode.INTERNAL, "wake pipe: " + name + ": path=" + path + " errno=" + errno);
      }
      return result;
    } catch (LuciolaException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(name + ": path=" + path, e);
    }
  }

  Path path() {
    return path;
  }

  /** Wakes who waits, or is about to. Never waits. */
  void wake() {
    try {
      // Full of bytes that nobody has read: then the other side is awake as soon as it looks.
      var _ = (long) WRITE.invokeExact(descriptor, one, 1L);
    } catch (Throwable e) {
      throw new IllegalStateException("write: path=" + path, e);
    }
  }

  /**
   * Waits until somebody wakes; may return without. One thread, which should be a platform thread:
   * it is blocked in the system.
   *
   * @param millisMax -1 for ever
   */
  void await(int millisMax) {
    try {
      int ready = (int) POLL.invokeExact(poll, 1L, millisMax);
      if (ready > 0) {
        var _ = (long) READ.invokeExact(descriptor, bytes, (long) BYTES_MAX);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("poll: path=" + path, e);
    }
  }

  /** Takes its name away; both sides keep it. */
  void unlink() {
    delete(path);
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "wake pipe: unlink: path=" + path + " cause=" + e.getMessage(), e);
    }
  }

  /** Nobody may wait or wake any more. */
  @Override
  public void close() {
    unlink();
    try {
      var _ = (int) CLOSE.invokeExact(descriptor);
    } catch (Throwable e) {
      throw new IllegalStateException("close: path=" + path, e);
    }
    arena.close();
  }
}
