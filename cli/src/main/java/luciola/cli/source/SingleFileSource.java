package luciola.cli.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** One file. */
record SingleFileSource(Path path) implements FileSource {
  @Override
  public String description() {
    return "file " + path;
  }

  @Override
  public void visit(int filesMax, Visitor visitor) throws IOException {
    if (filesMax < 1) {
      return;
    }
    try (InputStream content = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
      visitor.file(
          Objects.requireNonNull(path.getFileName()).toString(), Files.size(path), content);
    }
  }
}
