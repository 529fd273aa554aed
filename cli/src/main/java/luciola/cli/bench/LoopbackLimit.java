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
import java.util.concurrent.atomic.AtomicLong;

/**
 * What one TCP stream over loopback carries: a thread that writes 1 MiB at a time and one that
 * reads, by plain system calls, with the congestion control that Luciola's own connections use
 * there (reno).
 *
 * @param bytesPerSecond received
 */
public record LoopbackLimit(double bytesPerSecond) {
  private static final int WRITE_BYTES = 1 << 20;

  /** Streams for about this long. */
  public static LoopbackLimit measure(long nanos) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      var sockets = new Posix(arena);
      int listener = sockets.listen();
      int sender = -1;
      int receiver = -1;
      try {
        sender = sockets.connect(listener);
        receiver = sockets.accept(listener);
        return new LoopbackLimit(stream(sockets, arena, sender, receiver, nanos));
      } finally {
        sockets.close(sender);
        sockets.close(receiver);
        sockets.close(listener);
      }
    }
  }

  private static double stream(Posix sockets, Arena arena, int sender, int receiver, long nanos)
      throws IOException {
    MemorySegment from = arena.allocate(WRITE_BYTES, 4096).fill((byte) 1);
    MemorySegment into = arena.allocate(WRITE_BYTES, 4096).fill((byte) 0);
    var received = new AtomicLong();
    long start = System.nanoTime();
    Thread reader =
        Thread.ofPlatform()
            .daemon()
            .name("loopback-limit")
            .start(() -> {
              for (long read = sockets.read(receiver, into);
                  read > 0;
                  read = sockets.read(receiver, into)) {
                received.addAndGet(read);
              }
            });
    while (System.nanoTime() - start < nanos) {
      if (sockets.write(sender, from) <= 0) {
        throw new IOException("loopback limit: the stream broke");
      }
    }
    sockets.shutdown(sender);
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("loopback limit: interrupted", e);
    }
    return received.get() / ((System.nanoTime() - start) / 1e9);
  }

  /** The few system calls that it takes. */
  private static final class Posix {
    private static final int AF_INET = 2;
    private static final int SOCK_STREAM = 1;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_CONGESTION = 13;
    private static final int SHUT_WR = 1;
    private static final int ADDRESS_BYTES = 16;
    private static final byte[] LOOPBACK = {127, 0, 0, 1};

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle SOCKET = of("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle BIND = of("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle LISTEN = of("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle NAME =
        of("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle CONNECT =
        of("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
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

    Posix(Arena arena) {
      address = arena.allocate(ADDRESS_BYTES, 4);
      addressBytes = arena.allocate(JAVA_INT);
      reno = arena.allocateFrom("reno");
    }

    @SuppressWarnings("restricted")
    private static MethodHandle of(String name, ValueLayout result, ValueLayout... arguments) {
      return LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

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

    int connect(int listener) throws IOException {
      addressBytes.set(JAVA_INT, 0, ADDRESS_BYTES);
      check("getsockname", call(NAME, listener, address, addressBytes));
      int socket = socket();
      check("connect", call(CONNECT, socket, address, ADDRESS_BYTES));
      return socket;
    }

    int accept(int listener) throws IOException {
      return check("accept", call(ACCEPT, listener, MemorySegment.NULL, MemorySegment.NULL));
    }

    private int socket() throws IOException {
      int socket = check("socket", call(SOCKET, AF_INET, SOCK_STREAM, 0));
      // Where reno is not there or not allowed, the system's default is what everybody gets.
      var _ = call(OPTION, socket, IPPROTO_TCP, TCP_CONGESTION, reno, 4);
      return socket;
    }

    long read(int socket, MemorySegment into) {
      return call(READ, socket, into, into.byteSize());
    }

    long write(int socket, MemorySegment from) {
      return call(WRITE, socket, from, from.byteSize());
    }

    void shutdown(int socket) {
      var _ = call(SHUTDOWN, socket, SHUT_WR);
    }

    void close(int socket) {
      if (socket >= 0) {
        var _ = call(CLOSE, socket);
      }
    }

    private static int check(String what, long result) throws IOException {
      if (result < 0) {
        throw new IOException("loopback limit: " + what + " failed");
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
}
