package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.Random;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.ring.Completion;
import luciola.loader.ring.RingClient;
import luciola.loader.ring.Submission;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rings over a cluster whose storage-servers are other processes. */
@Timeout(240)
final class RingsClusterTest {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final int BLOCK = 100_000;
  private static final int BLOCKS = 160;
  private static final int DEPTH = 16;

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  private final Random random = new Random(8);
  private LuciolaFileSystem files;
  private LoaderAgent agent;

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @BeforeEach
  void startAgent() {
    files = cluster.connect();
    agent = LoaderAgent.start(AgentConfiguration.of(directory.resolve("agent.sock")), files);
  }

  @AfterEach
  void stopAgent() {
    agent.close();
    files.close();
  }

  private static byte[] block(int number, int version) {
    byte[] bytes = new byte[BLOCK];
    new Random(number * 1000L + version).nextBytes(bytes);
    return bytes;
  }

  /** A ring and which of the places in its memory are free. */
  private static final class Depth {
    final RingClient ring;
    final BitSet busy = new BitSet();
    final int[] block = new int[DEPTH];

    Depth(RingClient ring) {
      this.ring = ring;
    }

    int free() throws InterruptedException {
      while (busy.cardinality() == DEPTH) {
        reap(1);
      }
      return busy.nextClearBit(0);
    }

    MemorySegment place(int slot) {
      return ring.data().asSlice((long) slot * BLOCK, BLOCK);
    }

    void put(int slot, Submission submission) {
      busy.set(slot);
      assertTrue(ring.put(submission));
      ring.submit();
    }

    void reap(int wanted) {
      int there = ring.await(wanted, LONG);
      assertTrue(there >= wanted, "too long: " + there + " of " + wanted);
      for (int i = 0; i < there; i++) {
        Completion each = ring.take().orElseThrow();
        int slot = (int) each.own() & 0xFF;
        if (each.own() >> 8 == Submission.SYNC) {
          assertEquals(0, each.result());
        } else {
          assertEquals(BLOCK, each.result(), "block=" + block[slot]);
          if (each.own() >> 8 == Submission.READ) {
            assertEquals(-1, place(slot).mismatch(MemorySegment.ofArray(block(block[slot], 1))));
          }
        }
        busy.clear(slot);
      }
    }
  }

  private static long own(int operation, int slot) {
    return (long) operation << 8 | slot;
  }

  @Test
  void writesSyncsAndReadsGoOnWhenAServerIsKilled() throws Exception {
    try (RingClient ring = RingClient.open(agent.socket(), 32, 4096 * 400)) {
      var depth = new Depth(ring);
      int file = ring.openWrite("/blocks", OpenOptions.CREATE).file();
      for (int version = 0; version < 2; version++) {
        for (int i = 0; i < BLOCKS; i++) {
          if (version == 1 && i == BLOCKS / 3) {
            cluster.kill(1);
          }
          int slot = depth.free();
          depth.block[slot] = i;
          depth.place(slot).copyFrom(MemorySegment.ofArray(block(i, version)));
          depth.put(
              slot,
              Submission.write(
                  file, (long) i * BLOCK, (long) slot * BLOCK, BLOCK, own(Submission.WRITE, slot)));
          if (i % 20 == 19) {
            int sync = depth.free();
            depth.put(sync, Submission.sync(file, own(Submission.SYNC, sync)));
          }
        }
        depth.reap(ring.underWay());
      }
      assertTrue(ring.put(Submission.sync(file, own(Submission.SYNC, 0))));
      ring.submit();
      depth.reap(1);
      try (Arena arena = Arena.ofShared();
          LuciolaFileSystem other = cluster.connect();
          ReadableFile seen = other.openRead("/blocks")) {
        assertEquals((long) BLOCKS * BLOCK, seen.length());
        MemorySegment all = arena.allocate(seen.length());
        seen.read(0, all).join();
        for (int i = 0; i < BLOCKS; i++) {
          MemorySegment got = all.asSlice((long) i * BLOCK, BLOCK);
          assertEquals(-1, got.mismatch(MemorySegment.ofArray(block(i, 1))), "block=" + i);
        }
      }
      for (int i = 0; i < 4 * BLOCKS; i++) {
        if (i == BLOCKS) {
          cluster.restart(1);
        } else if (i == 3 * BLOCKS) {
          cluster.kill(1);
        }
        int slot = depth.free();
        depth.block[slot] = random.nextInt(BLOCKS);
        depth.put(
            slot,
            Submission.read(
                file,
                (long) depth.block[slot] * BLOCK,
                (long) slot * BLOCK,
                BLOCK,
                own(Submission.READ, slot)));
      }
      depth.reap(ring.underWay());
      ring.closeFile(file);
      cluster.restart(1);
    }
  }
}
