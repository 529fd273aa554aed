package luciola.storage.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The block files of a target that is not open: only read, from the device itself. One thread. */
public final class StoredBlocks implements AutoCloseable {
  private final Path directory;
  private final Map<BlockClass, NativeFile> files = new HashMap<>();

  public StoredBlocks(Path directory) {
    this.directory = directory;
  }

  /**
   * Fills {@code into}, native and aligned to whole pages as the position is.
   *
   * @throws IOException also where the file is missing or ends before
   */
  public void read(BlockClass blockClass, long position, MemorySegment into) throws IOException {
    @Nullable NativeFile file = files.get(blockClass);
    if (file == null) {
      Path path = directory.resolve(blockClass.fileName());
      if (!Files.exists(path)) {
        throw new IOException("file is missing: path=" + path);
      }
      file = NativeFile.openToRead(path);
      files.put(blockClass, file);
    }
    file.read(position, into);
  }

  @Override
  public void close() throws IOException {
    for (NativeFile file : files.values()) {
      file.close();
    }
    files.clear();
  }
}
