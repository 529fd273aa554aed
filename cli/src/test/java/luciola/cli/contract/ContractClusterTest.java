package luciola.cli.contract;

import java.io.IOException;
import java.nio.file.Path;
import luciola.client.LuciolaFileSystem;
import luciola.client.LuciolaFileSystemContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
final class ContractClusterTest extends LuciolaFileSystemContract {
  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Override
  protected LuciolaFileSystem fileSystem() {
    return cluster.connect();
  }
}
