package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.cli.Run;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.GarbageCollector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that one client reads while another removes them, and a collector that takes the rest. */
@Timeout(180)
final class RemovedFilesClusterTest {
  private static final OpenOptions SMALL = new OpenOptions(true, false, true, 0644, 65_536, 2);

  @TempDir private Path directory;

  private final byte[] content = new byte[300_000];

  @Test
  void whatIsOpenForReadingOutlivesItsNameAndNothingElseDoes() throws Exception {
    new Random(7).nextBytes(content);
    try (RunningCluster cluster = new RunningCluster(directory);
        ClusterFileSystem reading = cluster.connect();
        ClusterFileSystem removing = cluster.connect();
        FileSystem nio =
            FileSystems.newFileSystem(
                URI.create("luciola://" + cluster.address() + "/"), Map.of("uid", 0))) {
      removing.mkdirs("/tree/inner");
      for (String path : List.of("/read", "/channel", "/tree/inner/read", "/unread")) {
        write(removing, path);
      }
      var collector = new GarbageCollector(removing, Duration.ofSeconds(6));
      var run = new Run();
      try (ReadableFile file = reading.openRead("/read");
          ReadableFile inTree = reading.openRead("/tree/inner/read");
          FileChannel channel =
              FileChannel.open(nio.getPath("/channel"), StandardOpenOption.READ)) {
        // Nobody has a session yet.
        removing.remove("/read");
        removing.remove("/channel");
        removing.remove("/unread");
        removing.removeRecursively("/tree");
        until("the unread file is collected", () -> collector.collect(100) == 1);
        for (int i = 0; i < 10; i++) {
          assertEquals(0, collector.collect(100));
        }
        assertEquals(content.length, file.refresh());
        assertArrayEquals(content, read(file));
        assertArrayEquals(content, read(inTree));
        ByteBuffer bytes = ByteBuffer.allocate(content.length);
        while (bytes.hasRemaining() && channel.read(bytes) > 0) {}
        assertArrayEquals(content, bytes.array());
        assertEquals(0, run.command("fsck", "--cluster", cluster.address()), run::out);
      }
      var collected = new int[1];
      until(
          "they are collected when they are closed",
          () -> (collected[0] += collector.collect(100)) == 3);
      assertEquals(0, run.command("fsck", "--cluster", cluster.address()), run::out);
      assertTrue(run.out().contains("nothing wrong"), run::out);
    }
  }

  private static void until(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - deadline < 0, what);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private void write(ClusterFileSystem to, String path) {
    try (WritableFile file = to.openWrite(path, SMALL)) {
      file.write(0, content);
    }
  }

  private static byte[] read(ReadableFile file) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(file.length());
      assertEquals(file.length(), file.read(0, into).join());
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
