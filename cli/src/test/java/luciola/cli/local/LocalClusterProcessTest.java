package luciola.cli.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import luciola.cli.connection.ClusterConnector;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers as processes: one is killed while its files are used. */
class LocalClusterProcessTest {
  private static final Duration HEALTHY = Duration.ofMinutes(2);

  @TempDir Path folder;

  @Test
  void aKilledStorageServerIsNotNoticedAndComesBack() throws Exception {
    byte[] before = random(11, 5 << 20);
    byte[] during = random(12, 5 << 20);
    var options = LocalClusterOptions.asProcesses(folder.resolve("data"));
    try (LocalCluster cluster = LocalCluster.start(options, _ -> {});
        LuciolaFileSystem fs = new ClusterConnector().connect(cluster.metaServers())) {
      write(fs, "/before", before);
      cluster.kill(LocalCluster.storage(2));
      assertArrayEquals(before, read(fs, "/before"));
      write(fs, "/during", during);
      assertArrayEquals(during, read(fs, "/during"));
      assertFalse(cluster.healthy(cluster.view()));

      cluster.restart(LocalCluster.storage(2));
      cluster.awaitHealthy(HEALTHY);
      cluster.kill(LocalCluster.storage(1));
      cluster.kill(LocalCluster.storage(3));
      assertArrayEquals(during, read(fs, "/during"), "the returned replica holds what it missed");
    }
  }

  private static byte[] random(long seed, int bytes) {
    byte[] data = new byte[bytes];
    new Random(seed).nextBytes(data);
    return data;
  }

  private static void write(LuciolaFileSystem fs, String path, byte[] bytes) {
    try (WritableFile file = fs.openWrite(path, OpenOptions.CREATE_NEW)) {
      file.write(0, bytes);
    }
  }

  private static byte[] read(LuciolaFileSystem fs, String path) {
    try (ReadableFile file = fs.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(file.length(), 4096);
      assertEquals(file.length(), file.read(0, into).join());
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
