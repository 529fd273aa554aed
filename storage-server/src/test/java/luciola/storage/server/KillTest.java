package luciola.storage.server;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed keeps every write it acknowledged. */
class KillTest {
  private static final ClusterTimings TIMINGS =
      new ClusterTimings(100_000_000L, 1_500_000_000L, 2_500_000_000L);
  private static final int ROUNDS = 3;
  private static final int WRITES_BEFORE_KILL = 40;

  @TempDir Path directory;

  @Test
  void aKilledServerKeepsEveryAcknowledgedWrite() throws IOException, InterruptedException {
    try (MetaServer meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withTimings(TIMINGS, 60_000_000_000L))) {
      String address = "127.0.0.1:" + meta.port();
      Path home = directory.resolve("s");
      Process process = ServerProcess.start(home, address);
      try (var client = new TestClient(MetaConnection.connect(MetaOptions.of(List.of(address))))) {
        client.meta.createTable(
            CreateTableRequest.newBuilder().setReplicas(1).setChains(1).build());
        TestClient.until(() -> "table", () -> !client.routing.routing().chains().isEmpty());
        ChainId chain = client.routing.routing().chains().keySet().iterator().next();
        var acknowledged = new ConcurrentHashMap<ChunkId, byte[]>();
        var written = new AtomicInteger();
        var stop = new AtomicBoolean();
        Thread writer =
            Thread.ofPlatform().start(() -> writeUntil(client, chain, acknowledged, written, stop));
        try {
          for (int round = 0; round < ROUNDS; round++) {
            int until = written.get() + WRITES_BEFORE_KILL;
            TestClient.until(() -> "writes go on: " + written, () -> written.get() >= until);
            process.destroyForcibly().waitFor();
            process = ServerProcess.start(home, address);
          }
        } finally {
          stop.set(true);
          writer.join();
        }
        TargetId target = client.chain(chain).members().getFirst().target();
        assertFalse(acknowledged.isEmpty());
        for (Map.Entry<ChunkId, byte[]> each : acknowledged.entrySet()) {
          client.awaitBytes(chain, target, each.getKey(), each.getValue());
        }
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
  }

  /** New chunks and overwrites, one after another. */
  private static void writeUntil(
      TestClient client,
      ChainId chain,
      Map<ChunkId, byte[]> acknowledged,
      AtomicInteger written,
      AtomicBoolean stop) {
    var random = new Random(11);
    while (!stop.get()) {
      var chunk = new ChunkId(new InodeId(5), random.nextInt(50));
      byte[] old = acknowledged.getOrDefault(chunk, new byte[0]);
      int offset = old.length == 0 ? 0 : random.nextInt(old.length);
      var bytes = new byte[1 + random.nextInt(30_000)];
      random.nextBytes(bytes);
      client.write(chain, chunk, offset, bytes);
      byte[] now = java.util.Arrays.copyOf(old, Math.max(old.length, offset + bytes.length));
      System.arraycopy(bytes, 0, now, offset, bytes.length);
      acknowledged.put(chunk, now);
      written.incrementAndGet();
    }
  }
}
