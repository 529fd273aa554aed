package luciola.cli.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Files of a zip in the order of its directory. */
record ZipSource(Path path) implements FileSource {
  @Override
  public String description() {
    return "zip " + path;
  }

  @Override
  public void visit(int filesMax, Visitor visitor) throws IOException {
    try (var zip = new ZipFile(path.toFile())) {
      Iterator<? extends ZipEntry> entries = zip.entries().asIterator();
      for (int files = 0; entries.hasNext() && files < filesMax; ) {
        ZipEntry entry = entries.next();
        if (!entry.isDirectory()) {
          try (InputStream content = zip.getInputStream(entry)) {
            visitor.file(FileSource.relativeName(entry.getName()), entry.getSize(), content);
          }
          files++;
        }
      }
    }
  }
}
