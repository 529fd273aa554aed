package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import luciola.client.LuciolaFileSystem;
import luciola.client.LuciolaFileSystemContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

  @Test
  void isFoundByItsUri() throws IOException {
    URI uri = URI.create("luciola://" + cluster.address() + "/nio");
    try (FileSystem _ = FileSystems.newFileSystem(uri, Map.of("uid", 0))) {
      Path home = Files.createDirectories(Path.of(uri));
      Path file = home.resolve("a.txt");
      Files.writeString(file, "text");
      Files.move(file, home.resolve("b.txt"), StandardCopyOption.ATOMIC_MOVE);
      try (Stream<Path> walk = Files.walk(home)) {
        assertEquals(List.of("/nio", "/nio/b.txt"), walk.map(Path::toString).toList());
      }
      assertEquals("text", Files.readString(home.resolve("b.txt")));
    }
  }

  @Override
  protected LuciolaFileSystem fileSystem() {
    return cluster.connect();
  }
}
