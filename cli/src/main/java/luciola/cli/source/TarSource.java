package luciola.cli.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Regular members of a tar in the order of the archive. */
record TarSource(Path path, boolean gzipped) implements FileSource {
  @Override
  public String description() {
    return "tar " + path;
  }

  @Override
  public void visit(int filesMax, Visitor visitor) throws IOException {
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(path), 1 << 20);
        InputStream plain = gzipped ? new GZIPInputStream(raw, 1 << 16) : raw;
        var tar = new TarArchiveInputStream(plain)) {
      int files = 0;
      for (TarArchiveEntry entry = tar.getNextEntry();
          entry != null && files < filesMax;
          entry = tar.getNextEntry()) {
        if (entry.isFile() && tar.canReadEntryData(entry)) {
          visitor.file(FileSource.relativeName(entry.getName()), entry.getSize(), tar);
          files++;
        }
      }
    }
  }
}
