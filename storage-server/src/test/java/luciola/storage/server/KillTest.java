package luciola.storage.server;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.routing.ChainMember;
import luciola.storage.engine.Waits;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed keeps every write it acknowledged. */
class KillTest {
  private static final int ROUNDS = 3;
  private static final int WRITES_BEFORE_KILL = 40;

  @TempDir Path directory;

  @Test
  void aKilledServerKeepsEveryAcknowledgedWrite() throws IOException, InterruptedException {
    writeUnderKills(1);
  }

  @Test
  void aChainKeepsEveryAcknowledgedWriteWhileItsServersAreKilled()
      throws IOException, InterruptedException {
    writeUnderKills(3);
  }

  private void writeUnderKills(int replicas) throws IOException, InterruptedException {
    try (var cluster = new ProcessCluster(directory, replicas)) {
      Map<ChunkId, byte[]> acknowledged = writeAndKill(cluster);
      assertFalse(acknowledged.isEmpty());
      cluster.awaitServing(replicas);
      for (ChainMember member : cluster.client.chain(cluster.chain).members()) {
        for (Map.Entry<ChunkId, byte[]> each : acknowledged.entrySet()) {
          cluster.client.awaitBytes(cluster.chain, member.target(), each.getKey(), each.getValue());
        }
      }
    }
  }

  private Map<ChunkId, byte[]> writeAndKill(ProcessCluster cluster)
      throws IOException, InterruptedException {
    var acknowledged = new ConcurrentHashMap<ChunkId, byte[]>();
    var written = new AtomicInteger();
    var stop = new AtomicBoolean();
    var failure = new AtomicReference<@Nullable Throwable>();
    Thread writer =
        Thread.ofPlatform()
            .uncaughtExceptionHandler((_, e) -> failure.set(e))
            .start(() -> writeUntil(cluster.client, cluster.chain, acknowledged, written, stop));
    try {
      for (int round = 0; round < ROUNDS; round++) {
        int until = written.get() + WRITES_BEFORE_KILL;
        Waits.until(() -> "writes go on: " + written + " " + failure, () -> written.get() >= until);
        int victim = round % cluster.size();
        cluster.kill(victim);
        int more = written.get() + (cluster.size() > 1 ? WRITES_BEFORE_KILL : 0);
        Waits.until(
            () -> "writes go on without it: " + written + " " + failure,
            () -> written.get() >= more);
        cluster.start(victim);
        cluster.awaitServing(cluster.size());
      }
    } finally {
      stop.set(true);
      writer.join();
    }
    assertNull(failure.get());
    return acknowledged;
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
