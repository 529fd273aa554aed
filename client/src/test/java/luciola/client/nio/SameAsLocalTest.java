package luciola.client.nio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.AfterEach;

final class SameAsLocalTest extends SameAsLocalContract {
  private final LuciolaNioFileSystem fs =
      LuciolaFileSystemProvider.over(new MemoryFileSystem(), "meta:7000");
  private int directories;

  @Override
  protected Path newDirectory() throws IOException {
    return Files.createDirectory(fs.getPath("/round" + directories++));
  }

  @AfterEach
  void close() throws IOException {
    fs.close();
  }
}
