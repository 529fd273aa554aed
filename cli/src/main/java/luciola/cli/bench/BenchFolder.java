package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of a bench's own, removed with all that is in it. */
final class BenchFolder implements AutoCloseable {
  private final Path path;

  /** Makes one in {@code parent}. */
  BenchFolder(Path parent) throws IOException {
    this.path = Files.createTempDirectory(Files.createDirectories(parent), "luciola-bench-");
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(path)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    } catch (NoSuchFileException _) {
      return;
    }
    for (Path each : deepestFirst) {
      Files.deleteIfExists(each);
    }
  }
}
