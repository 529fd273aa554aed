package luciola.cli.contract;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import luciola.client.nio.SameAsLocalContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
final class SameAsLocalClusterTest extends SameAsLocalContract {
  @TempDir static Path directory;
  private static int directories;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static FileSystem fs;

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    fs = FileSystems.newFileSystem(URI.create("luciola://" + cluster.address()), Map.of());
  }

  @AfterAll
  static void stop() throws IOException {
    fs.close();
    cluster.close();
  }

  @Override
  protected Path newDirectory() throws IOException {
    return Files.createDirectory(fs.getPath("/of" + directories++));
  }

  /** All of them are tried on memory, which has the same contract. */
  @Override
  protected int every() {
    return 7;
  }
}
