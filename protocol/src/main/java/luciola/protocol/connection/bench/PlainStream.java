package luciola.protocol.connection.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What two threads and one TCP connection over loopback can move, with nothing but the system calls
 * in between: the limit that other figures are compared with. (The JDK's sockets cannot choose
 * their congestion control.)
 */
final class PlainStream {
  private static final int AF_INET = 2;
  private static final int SOCK_STREAM = 1;
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_CONGESTION = 13;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int SHUT_WR = 1;
  private static final int ADDRESS_BYTES = 16;
  private static final int LOOPBACK = 0x7f000001;

  private final Linker linker = Linker.nativeLinker();
  private final MethodHandle socket = ints("socket", 3);
  private final MethodHandle bind = call("bind", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private final MethodHandle connect = call("connect", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private final MethodHandle listen = ints("listen", 2);
  private final MethodHandle shutdown = ints("shutdown", 2);
  private final MethodHandle close = ints("close", 1);
  private final MethodHandle accept =
      handle(
          "accept",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS));
  private final MethodHandle getsockname =
      handle(
          "getsockname",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS));
  private final MethodHandle setsockopt =
      handle(
          "setsockopt",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT));
  private final MethodHandle send = transfer("send");
  private final MethodHandle recv = transfer("recv");

  /** Streams buffers for so long. */
  Measurement measure(String congestion, int bufferBytes, long nanos) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      return measure(arena, congestion, bufferBytes, nanos);
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private Measurement measure(Arena arena, String congestion, int bufferBytes, long nanos)
      throws Throwable {
    MemorySegment address = arena.allocate(ADDRESS_BYTES, 8);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
    address.set(ValueLayout.JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN), 4, LOOPBACK);
    MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
    length.set(ValueLayout.JAVA_INT, 0, ADDRESS_BYTES);
    int listener = open(arena, congestion);
    int sender = open(arena, congestion);
    try {
      check("bind", (int) bind.invokeExact(listener, address, ADDRESS_BYTES));
      check("listen", (int) listen.invokeExact(listener, 1));
      check("getsockname", (int) getsockname.invokeExact(listener, address, length));
      check("connect", (int) connect.invokeExact(sender, address, ADDRESS_BYTES));
      int receiver =
          check(
              "accept", (int) accept.invokeExact(listener, MemorySegment.NULL, MemorySegment.NULL));
      try {
        return stream(arena, sender, receiver, bufferBytes, nanos);
      } finally {
        int _ = (int) close.invokeExact(receiver);
      }
    } finally {
      int _ = (int) close.invokeExact(sender);
      int _ = (int) close.invokeExact(listener);
    }
  }

  private Measurement stream(Arena arena, int sender, int receiver, int bufferBytes, long nanos)
      throws Throwable {
    MemorySegment from = arena.allocate(bufferBytes, 4096);
    MemorySegment to = arena.allocate(bufferBytes, 4096);
    long end = System.nanoTime() + nanos;
    Thread sending =
        Thread.ofPlatform()
            .name("plain-stream-sender")
            .start(() -> {
              while (System.nanoTime() < end && transferred(send, sender, from, MSG_NOSIGNAL) > 0) {
                // on and on
              }
              endOf(sender);
            });
    long start = System.nanoTime();
    long cpu = LoopbackBench.cpuNanos();
    long bytes = 0;
    long got = transferred(recv, receiver, to, 0);
    while (got > 0) {
      bytes += got;
      got = transferred(recv, receiver, to, 0);
    }
    var result =
        new Measurement(
            "plain stream",
            Math.max(1, bytes / bufferBytes),
            bytes,
            System.nanoTime() - start,
            LoopbackBench.cpuNanos() - cpu);
    sending.join();
    return result;
  }

  private void endOf(int sender) {
    try {
      int _ = (int) shutdown.invokeExact(sender, SHUT_WR);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static long transferred(MethodHandle how, int fd, MemorySegment buffer, int flags) {
    try {
      return (long) how.invokeExact(fd, buffer, buffer.byteSize(), flags);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private int open(Arena arena, String congestion) throws Throwable {
    int fd = check("socket", (int) socket.invokeExact(AF_INET, SOCK_STREAM, 0));
    MemorySegment name = arena.allocateFrom(congestion, StandardCharsets.US_ASCII);
    // Not permitted everywhere; then the kernel's default is measured, as it is used.
    int _ =
        (int) setsockopt.invokeExact(fd, IPPROTO_TCP, TCP_CONGESTION, name, congestion.length());
    return fd;
  }

  private static int check(String what, int result) throws IOException {
    if (result < 0) {
      throw new IOException("plain stream: " + what + " failed");
    }
    return result;
  }

  private MethodHandle ints(String name, int parameters) {
    var types = new ValueLayout.OfInt[parameters];
    java.util.Arrays.fill(types, ValueLayout.JAVA_INT);
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, types));
  }

  private MethodHandle call(String name, ValueLayout.OfInt result, ValueLayout.OfInt fd) {
    return handle(
        name, FunctionDescriptor.of(result, fd, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
  }

  private MethodHandle transfer(String name) {
    return handle(
        name,
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT));
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }
}
