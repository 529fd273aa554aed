package luciola.cli.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * TCP over loopback by plain system calls, as a program would use them that does nothing else: what
 * the machine's limits are measured with. The congestion control is the one that Luciola's own
 * connections use there (reno).
 *
 * <p>Connections are made by one thread; each is used by one thread for reading and one for writing
 * then.
 */
final class PlainSockets {
  private static final int AF_INET = 2;
  private static final int SOCK_STREAM = 1;
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_NODELAY = 1;
  private static final int TCP_CONGESTION = 13;
  private static final int SHUT_RDWR = 2;
  private static final int SHUT_WR = 1;
  private static final int ADDRESS_BYTES = 16;
  private static final byte[] LOOPBACK = {127, 0, 0, 1};

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle SOCKET = of("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = of("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle LISTEN = of("listen", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle NAME = of("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle CONNECT = of("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle ACCEPT = of("accept", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle OPTION =
      of("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle READ = of("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle WRITE = of("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle SHUTDOWN = of("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle CLOSE = of("close", JAVA_INT, JAVA_INT);

  private final MemorySegment address;
  private final MemorySegment addressBytes;
  private final MemorySegment reno;
  private final MemorySegment on;

  /**
   * @param arena of the memory that connecting needs
   */
  PlainSockets(Arena arena) {
    address = arena.allocate(ADDRESS_BYTES, 4);
    addressBytes = arena.allocate(JAVA_INT);
    reno = arena.allocateFrom("reno");
    on = arena.allocateFrom(JAVA_INT, 1);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle of(String name, ValueLayout result, ValueLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /** A listener on a port that the system chooses. */
  int listen() throws IOException {
    int socket = socket();
    address.fill((byte) 0);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
    MemorySegment.copy(LOOPBACK, 0, address, ValueLayout.JAVA_BYTE, 4, LOOPBACK.length);
    addressBytes.set(JAVA_INT, 0, ADDRESS_BYTES);
    check("bind", call(BIND, socket, address, ADDRESS_BYTES));
    check("listen", call(LISTEN, socket, 1));
    check("getsockname", call(NAME, socket, address, addressBytes));
    return socket;
  }

  /** A connection to a listener of this process. */
  int connect(int listener) throws IOException {
    addressBytes.set(JAVA_INT, 0, ADDRESS_BYTES);
    check("getsockname", call(NAME, listener, address, addressBytes));
    int socket = socket();
    check("connect", call(CONNECT, socket, address, ADDRESS_BYTES));
    return socket;
  }

  /** The other end of a connection that was made. */
  int accept(int listener) throws IOException {
    int socket = check("accept", call(ACCEPT, listener, MemorySegment.NULL, MemorySegment.NULL));
    return withoutDelay(socket);
  }

  private int socket() throws IOException {
    int socket = check("socket", call(SOCKET, AF_INET, SOCK_STREAM, 0));
    // Where reno is not there or not allowed, the system's default is what everybody gets.
    var _ = call(OPTION, socket, IPPROTO_TCP, TCP_CONGESTION, reno, 4);
    return withoutDelay(socket);
  }

  private int withoutDelay(int socket) {
    var _ = call(OPTION, socket, IPPROTO_TCP, TCP_NODELAY, on, Integer.BYTES);
    return socket;
  }

  /** Bytes read; 0 at the end, negative on an error. */
  long read(int socket, MemorySegment into) {
    try {
      return (long) READ.invokeExact(socket, into, into.byteSize());
    } catch (Throwable e) {
      throw new IllegalStateException("read failed", e);
    }
  }

  /** Bytes written; negative on an error. */
  long write(int socket, MemorySegment from) {
    try {
      return (long) WRITE.invokeExact(socket, from, from.byteSize());
    } catch (Throwable e) {
      throw new IllegalStateException("write failed", e);
    }
  }

  /** Reads until the memory is full; false if the connection ends before. */
  boolean readWhole(int socket, MemorySegment into) {
    return whole(into, left -> read(socket, left));
  }

  /** Writes all of it; false if the connection ends before. */
  boolean writeWhole(int socket, MemorySegment from) {
    return whole(from, left -> write(socket, left));
  }

  private interface Step {
    long apply(MemorySegment left);
  }

  private static boolean whole(MemorySegment memory, Step step) {
    long done = 0;
    while (done < memory.byteSize()) {
      long bytes = step.apply(memory.asSlice(done));
      if (bytes <= 0) {
        return false;
      }
      done += bytes;
    }
    return true;
  }

  /** Nothing more is written: the reader comes to the end. */
  void endWriting(int socket) {
    var _ = call(SHUTDOWN, socket, SHUT_WR);
  }

  /** Whoever reads or writes there now comes to the end. */
  void end(int socket) {
    var _ = call(SHUTDOWN, socket, SHUT_RDWR);
  }

  void close(int socket) {
    if (socket >= 0) {
      var _ = call(CLOSE, socket);
    }
  }

  private static int check(String what, long result) throws IOException {
    if (result < 0) {
      throw new IOException("loopback socket: " + what + " failed");
    }
    return (int) result;
  }

  private static long call(MethodHandle handle, Object... arguments) {
    try {
      return ((Number) handle.invokeWithArguments(arguments)).longValue();
    } catch (Throwable e) {
      throw new IllegalStateException("system call failed: " + handle, e);
    }
  }
}
