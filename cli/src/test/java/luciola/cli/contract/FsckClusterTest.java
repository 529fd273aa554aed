package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.cli.Run;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ChainChunks;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.GarbageCollector;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.layout.FileLayout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code luciola fsck} on a cluster that runs. */
@Timeout(300)
final class FsckClusterTest {
  static final int CHUNK = 65_536;

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static ClusterFileSystem files;

  private final Run run = new Run();

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    files = cluster.connect();
  }

  @AfterAll
  static void stop() {
    files.close();
    cluster.close();
  }

  private int fsck(String... options) {
    var args = new ArrayList<>(List.of("fsck", "--cluster", cluster.address()));
    args.addAll(List.of(options));
    return run.command(args.toArray(String[]::new));
  }

  static byte[] bytes(int length, int seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static OpenOptions small() {
    return new OpenOptions(true, false, true, 0644, CHUNK, 2);
  }

  static InodeId write(ClusterFileSystem to, String path, byte[] bytes) {
    try (WritableFile file = to.openWrite(path, small())) {
      file.write(0, bytes);
      return file.inode();
    }
  }

  static byte[] read(ClusterFileSystem from, String path) {
    try (ReadableFile file = from.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(Math.max(1, file.length())).asSlice(0, file.length());
      assertEquals(file.length(), file.read(0, into).join());
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static ChainId chainOf(ChunkId chunk) {
    return chainOf(files, chunk);
  }

  static ChainId chainOf(ClusterFileSystem files, ChunkId chunk) {
    FileLayout layout =
        LayoutMessages.fromMessage(
            files
                .meta()
                .inspectInodes(
                    InspectInodesRequest.newBuilder().addInodes(chunk.inode().value()).build())
                .getInodes(0)
                .getInode()
                .getLayout());
    return files.routing().chainOf(layout, chunk);
  }

  @Test
  void wrongChunksAreFoundAndRemovedAndNothingElse() {
    byte[] content = bytes(CHUNK + 10, 1);
    InodeId file = write(files, "/kept", content);
    InodeId gone = write(files, "/gone", bytes(3 * CHUNK, 2));
    files.remove("/gone");
    assertEquals(1, new GarbageCollector(files, java.time.Duration.ZERO).collect(100));
    assertEquals(0, fsck(), run::out);
    assertTrue(run.out().contains("nothing wrong"), run::out);

    ChainChunks chunks = files.chainChunks();
    ChainId first = chunks.chains().getFirst();
    chunks.setLength(first, new ChunkId(gone, 7), 100);
    var past = new ChunkId(file, 5);
    chunks.setLength(chainOf(past), past, 200);
    var last = new ChunkId(file, 1);
    chunks.setLength(chainOf(last), last, 500);
    ChainId elsewhere =
        chunks.chains().stream()
            .filter(chain -> !chain.equals(chainOf(new ChunkId(file, 0))))
            .findFirst()
            .orElseThrow();
    chunks.setLength(elsewhere, new ChunkId(file, 0), 300);
    // Of a number that was not given out when the check began.
    chunks.setLength(first, new ChunkId(new InodeId(1L << 40), 0), 10);

    try (WritableFile _ = files.openWrite("/kept", OpenOptions.EXISTING)) {
      assertEquals(1, fsck(), run::out);
      assertTrue(run.out().contains("orphan-chunk: 1"), run::out);
      assertTrue(run.out().contains("misplaced-chunk: 1"), run::out);
      assertTrue(!run.out().contains("chunk-past-end"), run::out);
    }
    assertEquals(1, fsck("--json"), run::out);
    assertTrue(run.out().contains("\"chunk-past-end\":2"), run::out);
    assertTrue(run.out().contains("\"left\":4"), run::out);

    assertEquals(0, fsck("--repair"), run::out);
    assertTrue(run.out().contains("4 repaired, 0 left"), run::out);
    assertEquals(0, fsck(), run::out);
    assertTrue(run.out().contains("nothing wrong"), run::out);
    assertTrue(chunks.length(first, new ChunkId(gone, 7)).isEmpty());
    assertTrue(chunks.length(chainOf(past), past).isEmpty());
    assertEquals(10, chunks.length(chainOf(last), last).orElseThrow());
    assertTrue(chunks.length(elsewhere, new ChunkId(file, 0)).isEmpty());
    assertTrue(chunks.length(first, new ChunkId(new InodeId(1L << 40), 0)).isPresent());
    assertArrayEquals(content, read(files, "/kept"));
    chunks.remove(first, new ChunkId(new InodeId(1L << 40), 0));
  }

  @Test
  void aRunUnderLoadReportsNothingAndDamagesNothing() throws Exception {
    var stop = new AtomicBoolean();
    var steps = new AtomicInteger();
    try (ClusterFileSystem loaded = cluster.connect();
        GarbageCollector _ =
            GarbageCollector.start(
                loaded, java.time.Duration.ofMillis(20), java.time.Duration.ofMillis(50), 16);
        ExecutorService workers = Executors.newFixedThreadPool(3)) {
      var running = new ArrayList<Future<?>>();
      for (int worker = 0; worker < 3; worker++) {
        int number = worker;
        running.add(workers.submit(() -> work(loaded, "/load" + number, stop, steps)));
      }
      try {
        for (int round = 0; round < 6 || steps.get() < 30; round++) {
          assertEquals(0, fsck("--repair"), () -> run.out() + run.err());
          assertTrue(run.out().contains("nothing wrong"), run::out);
        }
      } finally {
        stop.set(true);
      }
      for (Future<?> each : running) {
        finish(each);
      }
    }
  }

  static void finish(Future<?> work) throws InterruptedException {
    try {
      var _ = work.get();
    } catch (ExecutionException e) {
      throw new AssertionError("the load failed", e.getCause());
    }
  }

  /** Writes, extends, cuts, renames and removes, and reads back what must be there. */
  static void work(ClusterFileSystem fs, String home, AtomicBoolean stop, AtomicInteger allSteps) {
    fs.mkdirs(home);
    for (int steps = 1; !stop.get(); steps++) {
      allSteps.incrementAndGet();
      String path = home + "/" + steps % 5;
      byte[] content = bytes(1 + steps * 7_919 % (4 * CHUNK), steps);
      write(fs, path, content);
      byte[] more = bytes(steps * 104_729 % (2 * CHUNK) + 1, -steps);
      byte[] longer = Arrays.copyOf(content, content.length + more.length);
      System.arraycopy(more, 0, longer, content.length, more.length);
      try (WritableFile file = fs.openWrite(path, OpenOptions.EXISTING)) {
        file.write(content.length, more);
      }
      assertArrayEquals(longer, read(fs, path));
      int kept = longer.length / 2;
      try (WritableFile file = fs.openWrite(path, OpenOptions.EXISTING)) {
        file.truncate(kept);
      }
      fs.rename(path, home + "/moved");
      fs.link(home + "/moved", home + "/linked" + steps % 2);
      assertArrayEquals(Arrays.copyOf(longer, kept), read(fs, home + "/moved"));
      fs.remove(home + "/linked" + steps % 2);
      fs.remove(home + "/moved");
      fs.mkdirs(home + "/a/b" + steps % 3);
      if (steps % 3 == 0) {
        fs.removeRecursively(home + "/a");
      }
    }
  }
}
