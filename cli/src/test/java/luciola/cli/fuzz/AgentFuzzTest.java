package luciola.cli.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.ring.RingClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent's socket: only its own user can open it, and it outlives whatever he sends. */
class AgentFuzzTest {
  private static final List<String> REQUESTS =
      List.of(
          "{'op':'attach','id':1,'protocol':1,'slots':2,'slotBytes':65536}",
          "{'op':'mapped','id':2}",
          "{'op':'read-file','id':3,'path':'/file','offset':0,'length':4096}",
          "{'op':'stat','id':4,'path':'/file'}",
          "{'op':'list','id':5,'path':'/','after':''}",
          "{'op':'ring','id':6,'protocol':1,'layout':1,'entries':8,'dataBytes':65536}",
          "{'op':'open-file','id':7,'path':'/file'}",
          "{'op':'close-file','id':8,'file':1}",
          "{'op':'report','id':9}",
          "{'op':'open','id':10,'protocol':1,'path':'/file','batch':4}");

  @TempDir Path directory;

  @Test
  void theAgentsSocket() throws Exception {
    Path memory = Files.createDirectory(directory.resolve("memory"));
    AgentConfiguration usual = AgentConfiguration.of(directory.resolve("agent.sock"));
    var configuration =
        new AgentConfiguration(
            usual.socket(),
            memory,
            usual.regionBytesMax(),
            usual.slotBytesMax(),
            usual.slotsMax(),
            usual.connectionsMax(),
            usual.requestsMax(),
            usual.rings());
    try (var files = new MemoryFileSystem();
        LoaderAgent _ = LoaderAgent.start(configuration, files)) {
      try (WritableFile file = files.openWrite("/file", OpenOptions.CREATE)) {
        file.write(0, new byte[10_000]);
      }
      work(usual.socket());
      long before = PortFuzzTest.bytesInUse();
      var fuzzer =
          new PortFuzzer(
              List.of(Lines.to(usual.socket())),
              PortFuzzTest.SEED,
              List.of(
                  frames(0, 1, 2, 3, 4, 8), frames(5, 1, 6, 7), frames(9, 1), List.of(release())));
      fuzzer.run(System.nanoTime() + TimeUnit.SECONDS.toNanos(PortFuzzTest.SECONDS));
      work(usual.socket());
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (left(memory) > 0) {
        assertTrue(System.nanoTime() - deadline < 0, "memory of connections that have ended");
        Thread.onSpinWait();
      }
      long kept = PortFuzzTest.bytesInUse() - before;
      while (kept >= PortFuzzTest.KEPT_BYTES_MAX && System.nanoTime() - deadline < 0) {
        // Memory of connections that have ended is given back some time after a collection.
        kept = PortFuzzTest.bytesInUse() - before;
      }
      System.out.println("fuzz: agent " + fuzzer.report() + " keptBytes=" + kept);
      assertTrue(fuzzer.connections() > 10, fuzzer.report());
      assertTrue(kept < PortFuzzTest.KEPT_BYTES_MAX, "bytes kept: " + kept);
    }
  }

  /** Opens a file by a ring of its own, as soon as the agent has room for it. */
  private static void work(Path socket) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (true) {
      try (RingClient ring = RingClient.open(socket, 8, 1 << 16)) {
        assertEquals(10_000, ring.openRead("/file").length());
        return;
      } catch (luciola.protocol.error.LuciolaException full) {
        assertTrue(System.nanoTime() - deadline < 0, full.getMessage());
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  private static long left(Path memory) throws java.io.IOException {
    try (Stream<Path> files = Files.list(memory)) {
      return files.count();
    }
  }

  private static List<byte[]> frames(int... requests) {
    var frames = new ArrayList<byte[]>();
    for (int each : requests) {
      byte[] body = REQUESTS.get(each).replace('\'', '"').getBytes(StandardCharsets.UTF_8);
      frames.add(
          ByteBuffer.allocate(8 + body.length)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(1)
              .putInt(body.length)
              .put(body)
              .array());
    }
    return frames;
  }

  private static byte[] release() {
    return ByteBuffer.allocate(24)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(3)
        .putInt(16)
        .putLong(1)
        .putInt(0)
        .putInt(0)
        .array();
  }
}
