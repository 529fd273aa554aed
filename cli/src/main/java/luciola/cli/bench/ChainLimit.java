package luciola.cli.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import luciola.storage.disk.NativeFile;
import org.jspecify.annotations.Nullable;

/**
 * What a replicated, durable write of 4 KiB takes where nobody does more than he must: members that
 * pass it on along the chain, write it to a file of their own that was laid out before, flush that,
 * and acknowledge backwards once the next one has. Threads of this process, plain system calls; all
 * files on one disk, as where a cluster is tried on one machine.
 *
 * @param seconds median
 */
record ChainLimit(double seconds) {
  private static final int PAGE_BYTES = 4096;
  private static final int PAGES = 256;
  private static final int WARM_UP = 200;
  private static final int WRITES = 400;
  private static final long STOP_MILLIS = 10_000;

  /** Measures in about a quarter of a second, with a file for each member in a directory. */
  static ChainLimit measure(Path directory, int members) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      var sockets = new PlainSockets(arena);
      var chain = new ArrayList<Member>();
      try {
        for (int i = 0; i < members; i++) {
          chain.add(Member.open(directory, arena));
        }
        int client = join(sockets, chain);
        try {
          return new ChainLimit(median(sockets, client, arena));
        } finally {
          sockets.end(client);
          stop(chain);
          sockets.close(client);
        }
      } finally {
        for (Member each : chain) {
          each.close(sockets);
        }
      }
    }
  }

  /** Connects everybody and starts them; gives the client's end. */
  private static int join(PlainSockets sockets, List<Member> chain) throws IOException {
    int listener = sockets.listen();
    try {
      int client = sockets.connect(listener);
      chain.getFirst().before = sockets.accept(listener);
      for (int i = 1; i < chain.size(); i++) {
        chain.get(i - 1).after = sockets.connect(listener);
        chain.get(i).before = sockets.accept(listener);
      }
      chain.forEach(member -> member.start(sockets));
      return client;
    } finally {
      sockets.close(listener);
    }
  }

  private static double median(PlainSockets sockets, int client, Arena arena) throws IOException {
    MemorySegment page = arena.allocate(PAGE_BYTES, PAGE_BYTES).fill((byte) 0x5a);
    MemorySegment answer = arena.allocate(1);
    var seconds = new double[WRITES];
    for (int i = -WARM_UP; i < WRITES; i++) {
      long start = System.nanoTime();
      if (!sockets.writeWhole(client, page) || !sockets.readWhole(client, answer)) {
        throw new IOException("chain limit: a member ended");
      }
      seconds[Math.max(i, 0)] = (System.nanoTime() - start) / 1e9;
    }
    Arrays.sort(seconds);
    return seconds[WRITES / 2];
  }

  private static void stop(List<Member> chain) throws IOException {
    try {
      for (Member each : chain) {
        if (each.thread != null && !each.thread.join(Duration.ofMillis(STOP_MILLIS))) {
          throw new IOException("chain limit: a member does not stop");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("chain limit: interrupted", e);
    }
  }

  /** One of the chain. */
  private static final class Member {
    private final Path path;
    private final NativeFile file;
    private final MemorySegment page;
    private final MemorySegment answer;
    private int before = -1;
    private int after = -1;
    private @Nullable Thread thread;

    private Member(Path path, NativeFile file, Arena arena) {
      this.path = path;
      this.file = file;
      this.page = arena.allocate(PAGE_BYTES, PAGE_BYTES);
      this.answer = arena.allocate(1);
    }

    static Member open(Path directory, Arena arena) throws IOException {
      Path path = Files.createTempFile(directory, "chain-limit", ".tmp");
      NativeFile file = NativeFile.open(path, true);
      file.write(0, arena.allocate((long) PAGES * PAGE_BYTES, PAGE_BYTES).fill((byte) 0));
      file.flush();
      return new Member(path, file, arena);
    }

    void start(PlainSockets sockets) {
      thread = Thread.ofPlatform().daemon().name("chain-limit").start(() -> serve(sockets));
    }

    private void serve(PlainSockets sockets) {
      try {
        for (long write = 0; sockets.readWhole(before, page); write++) {
          boolean alone = after < 0;
          boolean passed = alone || sockets.writeWhole(after, page);
          file.write(write % PAGES * PAGE_BYTES, page);
          file.flush();
          if (!passed
              || !(alone || sockets.readWhole(after, answer))
              || !sockets.writeWhole(before, answer)) {
            break;
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        // Whoever waits for this member learns that it is gone.
        sockets.end(before);
        if (after >= 0) {
          sockets.end(after);
        }
      }
    }

    void close(PlainSockets sockets) throws IOException {
      sockets.close(before);
      sockets.close(after);
      file.close();
      Files.delete(path);
    }
  }
}
