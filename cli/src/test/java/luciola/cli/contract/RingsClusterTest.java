package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.local.JavaCommand;
import luciola.cli.server.AgentSettings;
import luciola.cli.server.ConfigFile;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.ring.Completion;
import luciola.loader.ring.RingClient;
import luciola.loader.ring.Submission;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
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

  private static Path compiled() throws Exception {
    Path program = directory.resolve("ring_test");
    if (!Files.exists(program)) {
      List<String> command =
          List.of("cc", "-O2", "-o", program + "", "../loader/c/test/ring_test.c");
      try {
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
      } catch (IOException e) {
        Assumptions.abort("SKIPPED-TIER compiler: no cc");
      }
    }
    return program;
  }

  private static Process program(Path socket, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(compiled().toString(), socket.toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static BufferedReader said(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  @Test
  void aProgramInCFindsWhatItWroteWhileAServerIsKilled() throws Exception {
    Process program = program(agent.socket(), "verify", "/from-c", "2500");
    try (BufferedReader said = said(program)) {
      cluster.kill(2);
      cluster.restart(2);
      assertEquals("passed", said.readLine());
    } finally {
      program.destroyForcibly();
    }
    assertEquals(200 * 30_000, files.stat("/from-c").length());
  }

  /** Both owners wait for ever in the moment in which their agent is killed. */
  @Test
  void ownersOfAKilledAgentAreToldAndGoOnWithTheNext() throws Exception {
    Path socket = directory.resolve("other.sock");
    Path config = directory.resolve("agent.toml");
    ConfigFile.write(config, AgentSettings.of(List.of(cluster.address()), socket));
    Process killed = agentProcess(config, socket);
    Process inC = program(socket, "outlive", "/outlived");
    try (RingClient ring = RingClient.open(socket, 8, 1 << 20);
        BufferedReader said = said(inC)) {
      assertEquals("ready", said.readLine());
      int file = ring.openWrite("/survives", OpenOptions.CREATE).file();
      ring.data().fill((byte) 'a');
      assertTrue(ring.put(Submission.write(file, 0, 0, 1 << 20, 1)));
      assertTrue(ring.put(Submission.sync(file, 2)));
      ring.submit();
      assertEquals(2, ring.await(2, LONG));
      assertEquals(new Completion(1, 1 << 20), ring.take().orElseThrow());
      assertEquals(new Completion(2, 0), ring.take().orElseThrow());
      killed.destroyForcibly().waitFor();
      assertTrue(ring.put(Submission.sync(file, 3)));
      ring.submit();
      assertEquals(
          ErrorCode.CONNECTION_LOST,
          assertThrows(LuciolaException.class, () -> ring.await(1, LONG)).code());
      assertTrue(String.valueOf(said.readLine()).startsWith("told: the agent"));
      assertEquals("passed", said.readLine());
    } finally {
      killed.destroyForcibly();
      inC.destroyForcibly();
    }
    Process next = agentProcess(config, socket);
    try (RingClient ring = RingClient.open(socket, 8, 1 << 20)) {
      int file = ring.openRead("/survives").file();
      assertTrue(ring.put(Submission.read(file, 0, 0, 1 << 20, 1)));
      ring.submit();
      assertEquals(1, ring.await(1, LONG));
      assertEquals(new Completion(1, 1 << 20), ring.take().orElseThrow());
      byte[] expected = new byte[1 << 20];
      java.util.Arrays.fill(expected, (byte) 'a');
      assertEquals(-1, ring.data().mismatch(MemorySegment.ofArray(expected)));
    } finally {
      next.destroyForcibly().waitFor();
    }
  }

  private static Process agentProcess(Path config, Path socket) throws Exception {
    Process process =
        JavaCommand.child(
            List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"),
            List.of("agent", "--config", config.toString(), "--until-eof"),
            directory.resolve("agent.log"));
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!answers(socket)) {
      assertTrue(process.isAlive() && System.nanoTime() < deadline, "no agent: " + socket);
      LockSupport.parkNanos(20_000_000);
    }
    return process;
  }

  private static boolean answers(Path socket) throws InterruptedException {
    try (RingClient _ = RingClient.open(socket, 1, 4096)) {
      return true;
    } catch (LuciolaException e) {
      assertEquals(ErrorCode.CONNECTION_LOST, e.code());
      return false;
    }
  }
}
