package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What one TCP stream over loopback carries: a thread that writes 1 MiB at a time and one that
 * reads, by {@link PlainSockets}.
 *
 * @param bytesPerSecond received
 */
public record LoopbackLimit(double bytesPerSecond) {
  private static final int WRITE_BYTES = 1 << 20;

  /** Streams for about this long. */
  public static LoopbackLimit measure(long nanos) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      var sockets = new PlainSockets(arena);
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

  private static double stream(
      PlainSockets sockets, Arena arena, int sender, int receiver, long nanos) throws IOException {
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
    sockets.endWriting(sender);
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("loopback limit: interrupted", e);
    }
    return received.get() / ((System.nanoTime() - start) / 1e9);
  }
}
