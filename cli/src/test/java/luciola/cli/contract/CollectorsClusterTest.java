package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.GarbageCollector;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.TakeGarbage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several collectors of garbage: one at a time, and another one when that is dead. */
@Timeout(300)
final class CollectorsClusterTest {
  private static final int COLLECTORS = 4;
  private static final int FILES = 120;

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static ClusterFileSystem files;

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory, TimeUnit.SECONDS.toNanos(2));
    files = cluster.connect();
  }

  @AfterAll
  static void stop() {
    files.close();
    cluster.close();
  }

  private static void removeFiles(String home, int count) {
    files.mkdirs(home);
    for (int i = 0; i < count; i++) {
      try (WritableFile file = files.openWrite(home + "/" + i, OpenOptions.CREATE)) {
        file.write(0, new byte[100]);
      }
    }
    for (int i = 0; i < count; i++) {
      files.remove(home + "/" + i);
    }
  }

  private static GarbageCollector collector(ClusterFileSystem of) {
    return new GarbageCollector(of, Duration.ZERO);
  }

  @Test
  void everyFileIsRemovedByOneOfThem() throws InterruptedException, ExecutionException {
    removeFiles("/many", FILES);
    var removed = new AtomicInteger();
    var idle = new AtomicInteger();
    var clients = new ArrayList<ClusterFileSystem>();
    try (ExecutorService threads = Executors.newFixedThreadPool(COLLECTORS)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < COLLECTORS; i++) {
        ClusterFileSystem client = cluster.connect();
        clients.add(client);
        running.add(threads.submit(() -> collect(client, removed, idle)));
      }
      for (Future<?> each : running) {
        var _ = each.get();
      }
    } finally {
      clients.forEach(ClusterFileSystem::close);
    }
    assertEquals(0, collector(files).collect(100), "nothing is left");
    assertEquals(FILES, removed.get(), "nothing is removed twice");
  }

  /** Until there is nothing to do for a while; what two have removed is counted twice. */
  private static void collect(ClusterFileSystem client, AtomicInteger removed, AtomicInteger idle) {
    try (GarbageCollector collector = collector(client)) {
      long start = System.nanoTime();
      while (removed.get() < FILES || idle.incrementAndGet() < 50) {
        removed.addAndGet(collector.collect(8));
        assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(120), "not in time");
      }
    }
  }

  @Test
  void aDeadOneIsFollowedByAnother() {
    removeFiles("/few", 3);
    ClusterFileSystem dying = cluster.connect();
    assertEquals(
        3,
        dying
            .meta()
            .call(
                NamespaceRequest.newBuilder()
                    .setIdentity(Identity.getDefaultInstance())
                    .setTakeGarbage(TakeGarbage.newBuilder().setLimit(100)))
            .getGarbage()
            .getInodesCount());
    assertEquals(0, collector(files).collect(100), "it is not its turn");
    dying.close();
    long start = System.nanoTime();
    int removed = 0;
    while (removed == 0) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), "not in time");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      removed = collector(files).collect(100);
    }
    assertEquals(3, removed);
  }
}
