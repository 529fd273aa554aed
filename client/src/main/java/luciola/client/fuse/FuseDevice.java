package luciola.client.fuse;

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
import java.util.List;

/**
 * The kernel's end of a mount: {@code /dev/fuse}, opened and mounted. Reads block their platform
 * thread; writes do not wait.
 */
final class FuseDevice implements AutoCloseable {
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int ENODEV = 19;

  private static final int EINVAL = 22;
  private static final int ENOTCONN = 107;
  private static final int O_RDWR_CLOEXEC = 0x80002;
  private static final int MS_NOSUID_NODEV = 2 | 4;
  private static final int MNT_DETACH = 2;
  private static final int PARTS_MAX = 1024;
  private static final int IOVEC_BYTES = 16;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle READ =
      handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final MethodHandle WRITEV =
      handle("writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle MOUNT =
      handle(
          "mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
  private static final MethodHandle UMOUNT =
      handle("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private final int descriptor;

  private FuseDevice(int descriptor) {
    this.descriptor = descriptor;
  }

  /** What a call needs beside its arguments; one for each thread. */
  private static final class Scratch {
    final MemorySegment state = Arena.ofAuto().allocate(STATE);
    final MemorySegment vector = Arena.ofAuto().allocate((long) PARTS_MAX * IOVEC_BYTES, 8);
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

  /**
   * Mounts on a directory, as root.
   *
   * @param source what {@code mount} shows
   * @throws IOException with what the operator can do about it
   */
  static FuseDevice mount(Path directory, String source, FuseOptions options) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = SCRATCH.get().state;
      int descriptor =
          (int) OPEN.invokeExact(state, arena.allocateFrom("/dev/fuse"), O_RDWR_CLOEXEC, 0);
      if (descriptor < 0) {
        throw new IOException(
            "cannot open /dev/fuse (is the fuse module loaded?): errno=" + errno(state));
      }
      var device = new FuseDevice(descriptor);
      String data =
          "fd="
              + descriptor
              + ",rootmode=40000,user_id=0,group_id=0,default_permissions"
              + (options.others() ? ",allow_other" : "")
              + ",max_read="
              + options.writeBytesMax();
      int result =
          (int)
              MOUNT.invokeExact(
                  state,
                  arena.allocateFrom(source),
                  arena.allocateFrom(directory.toString()),
                  arena.allocateFrom("fuse.luciola"),
                  (long) MS_NOSUID_NODEV,
                  arena.allocateFrom(data));
      if (result != 0) {
        int errno = errno(state);
        device.close();
        throw new IOException(
            "cannot mount: directory=" + directory + " errno=" + errno + hint(errno));
      }
      return device;
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mount: directory=" + directory, e);
    }
  }

  private static String hint(int errno) {
    return switch (errno) {
      case 1 -> " (needs root)";
      case ENOENT -> " (no such directory)";
      case 20 -> " (not a directory)";
      case ENOTCONN -> " (a dead mount lies there: luciola umount it)";
      default -> "";
    };
  }

  /**
   * Unmounts a directory.
   *
   * @param lazily also if it is in use: it disappears at once, and ends with its last user
   * @return 0 or an errno; EINVAL: nothing is mounted there
   */
  static int unmount(Path directory, boolean lazily) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = SCRATCH.get().state;
      int flags = lazily ? MNT_DETACH : 0;
      int result = (int) UMOUNT.invokeExact(state, arena.allocateFrom(directory.toString()), flags);
      return result == 0 ? 0 : errno(state);
    } catch (Throwable e) {
      throw new IllegalStateException("umount: directory=" + directory, e);
    }
  }

  /** Whether an errno of {@link #unmount} says that nothing is mounted there. */
  static boolean isNotMounted(int errno) {
    return errno == EINVAL || errno == ENOENT;
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** Waits for a request; its length, or the negative errno. */
  long read(MemorySegment into) {
    MemorySegment state = SCRATCH.get().state;
    try {
      long count = (long) READ.invokeExact(state, descriptor, into, into.byteSize());
      return count >= 0 ? count : -errno(state);
    } catch (Throwable e) {
      throw new IllegalStateException("read of /dev/fuse", e);
    }
  }

  /** Writes a reply or a notice in one piece; 0 or an errno. */
  int write(MemorySegment head, List<MemorySegment> parts) {
    Scratch scratch = SCRATCH.get();
    if (parts.size() >= PARTS_MAX) {
      throw new IllegalArgumentException("too many parts: " + parts.size());
    }
    set(scratch.vector, 0, head);
    for (int i = 0; i < parts.size(); i++) {
      set(scratch.vector, i + 1, parts.get(i));
    }
    try {
      long count =
          (long) WRITEV.invokeExact(scratch.state, descriptor, scratch.vector, parts.size() + 1);
      return count >= 0 ? 0 : errno(scratch.state);
    } catch (Throwable e) {
      throw new IllegalStateException("write to /dev/fuse", e);
    }
  }

  private static void set(MemorySegment vector, int at, MemorySegment part) {
    vector.set(JAVA_LONG, (long) at * IOVEC_BYTES, part.address());
    vector.set(JAVA_LONG, (long) at * IOVEC_BYTES + 8, part.byteSize());
  }

  /** Ends the connection if nobody else has it: programs that wait get ENOTCONN. */
  @Override
  public void close() {
    try {
      var _ = (int) CLOSE.invokeExact(SCRATCH.get().state, descriptor);
    } catch (Throwable e) {
      throw new IllegalStateException("close of /dev/fuse", e);
    }
  }
}
