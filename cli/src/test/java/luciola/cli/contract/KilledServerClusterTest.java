package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.SpaceUsage;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.GarbageCollector;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class KilledServerClusterTest {
  private static final int FILE_BYTES = (20 << 20) + 4321;
  private static final OpenOptions CHUNKS_OF_A_MEBIBYTE =
      new OpenOptions(true, false, true, 0644, 1 << 20, 0);

  @TempDir Path directory;

  @SuppressWarnings("NullAway.Init")
  private RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private ClusterFileSystem fs;

  @BeforeEach
  void start() throws IOException {
    cluster = new RunningCluster(directory);
    fs = cluster.connect();
  }

  @AfterEach
  void stop() {
    fs.close();
    cluster.close();
  }

  @Test
  void aKilledServerIsInvisibleToReadersAndWriters() throws Exception {
    byte[] bytes = random(FILE_BYTES, 1);
    write("/before", bytes);
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger reads = new AtomicInteger();
    CompletableFuture<Void> reading =
        CompletableFuture.runAsync(() -> {
          while (!stop.get()) {
            assertArrayEquals(bytes, read("/before"));
            reads.incrementAndGet();
          }
        });
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(() -> {
          for (int i = 0; i < 8; i++) {
            write("/during-" + i, random(FILE_BYTES / 4, 10 + i));
          }
        });
    await(() -> reads.get() > 1);
    cluster.kill(1);
    writing.join();
    int afterKill = reads.get();
    await(() -> reads.get() > afterKill + 1 || reading.isDone());
    stop.set(true);
    reading.join();
    for (int i = 0; i < 8; i++) {
      assertArrayEquals(random(FILE_BYTES / 4, 10 + i), read("/during-" + i));
    }
    cluster.restart(1);
    await(() -> serving(fs.routing()));
    assertArrayEquals(bytes, read("/before"));
    cluster.kill(0);
    cluster.kill(2);
    await(() -> fs.routing().chains().values().stream().allMatch(c -> c.serving().size() == 1));
    assertArrayEquals(bytes, read("/before"));
    assertArrayEquals(random(FILE_BYTES / 4, 17), read("/during-7"));
  }

  @Test
  void removedFilesGiveTheirSpaceBack() throws Exception {
    write("/f", random(FILE_BYTES, 2));
    await(() -> fs.usage().capacityBytes() > 0);
    fs.remove("/f");
    try (GarbageCollector collector = new GarbageCollector(fs, java.time.Duration.ZERO)) {
      assertEquals(1, collector.collect(10));
      assertEquals(0, collector.collect(10));
    }
    SpaceUsage usage = fs.usage();
    assertTrue(usage.freeBytes() <= usage.capacityBytes());
  }

  private static boolean serving(Routing routing) {
    for (Chain chain : routing.chains().values()) {
      if (chain.serving().size() < RunningCluster.SERVERS) {
        return false;
      }
    }
    return true;
  }

  private void write(String path, byte[] bytes) {
    try (WritableFile file = fs.openWrite(path, CHUNKS_OF_A_MEBIBYTE)) {
      for (int at = 0; at < bytes.length; at += 300_000) {
        file.write(at, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 300_000)));
      }
    }
  }

  private byte[] read(String path) {
    return read(fs, path);
  }

  private static byte[] read(LuciolaFileSystem from, String path) {
    try (ReadableFile file = from.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(Math.max(1, file.length()));
      long count = file.read(0, into).join();
      return into.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** A condition that may ask servers. */
  private interface Condition {
    boolean isTrue();
  }

  private static void await(Condition condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (!condition.isTrue()) {
      assertTrue(System.nanoTime() - deadline < 0, "condition did not come true");
      Thread.sleep(5);
    }
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
