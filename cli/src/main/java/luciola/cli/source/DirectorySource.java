package luciola.cli.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Regular files below a directory in the order of their names; links are not followed. */
record DirectorySource(Path root) implements FileSource {
  @Override
  public String description() {
    return "directory " + root;
  }

  @Override
  public void visit(int filesMax, Visitor visitor) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(root)) {
      files =
          walk.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
              .sorted()
              .limit(filesMax)
              .toList();
    }
    for (Path file : files) {
      try (InputStream content = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
        visitor.file(
            root.relativize(file).toString().replace('\\', '/'), Files.size(file), content);
      }
    }
  }
}
