package luciola.client.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.client.AttributeChange;
import luciola.client.FileStat;
import luciola.client.NewFile;
import luciola.protocol.error.ErrorCode;

/** A file in memory that has no name yet. */
final class MemoryNewFile implements NewFile {
  private final MemoryFileSystem fileSystem;
  private final String path;
  private final MemoryInode.File file;
  private final AtomicBoolean closed = new AtomicBoolean();

  MemoryNewFile(MemoryFileSystem fileSystem, String path, MemoryInode.File file) {
    this.fileSystem = fileSystem;
    this.path = path;
    this.file = file;
    fileSystem.opened(file);
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public void write(long offset, MemorySegment from) {
    check("write");
    if (offset < 0) {
      throw MemoryFileSystem.fault(
          ErrorCode.INVALID_ARGUMENT, "write", path + " position=" + offset);
    }
    fileSystem.write(file, path, offset, from);
  }

  @Override
  public CompletableFuture<Long> read(long offset, MemorySegment into) {
    check("read");
    return CompletableFuture.completedFuture(fileSystem.read(file, offset, into));
  }

  private void check(String operation) {
    if (closed.get()) {
      throw MemoryFileSystem.fault(ErrorCode.BAD_SESSION, operation, path + " (closed)");
    }
  }

  @Override
  public FileStat publish(AttributeChange as) {
    check("publish");
    try {
      return fileSystem.publish(path, file, as);
    } finally {
      close();
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      fileSystem.released(file);
    }
  }
}
