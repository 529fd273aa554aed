package luciola.storage.disk;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the file system that a target lies on has left. Asked often: cheap, and not cached. */
@FunctionalInterface
public interface DiskSpace {
  /** Bytes that this process may still write. */
  long usableBytes() throws IOException;

  /** The file system of an existing directory. */
  static DiskSpace of(Path directory) throws IOException {
    FileStore store = Files.getFileStore(directory);
    return store::getUsableSpace;
  }
}
