package luciola.client.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.InodeId;

/** A file in memory, open for writing. */
final class MemoryWritableFile implements WritableFile {
  private final MemoryFileSystem fileSystem;
  private final String path;
  private final MemoryInode.File file;
  private final AtomicBoolean closed = new AtomicBoolean();

  MemoryWritableFile(MemoryFileSystem fileSystem, String path, MemoryInode.File file) {
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
  public InodeId inode() {
    return file.id;
  }

  @Override
  public long length() {
    return fileSystem.length(file);
  }

  @Override
  public void write(long offset, MemorySegment from) {
    check("write", offset);
    fileSystem.write(file, path, offset, from);
  }

  @Override
  public void truncate(long length) {
    check("truncate", length);
    fileSystem.truncate(file, length);
  }

  @Override
  public void sync() {
    check("sync", 0);
  }

  private void check(String operation, long position) {
    if (closed.get()) {
      throw MemoryFileSystem.fault(ErrorCode.BAD_SESSION, operation, path + " (closed)");
    }
    if (position < 0) {
      throw MemoryFileSystem.fault(
          ErrorCode.INVALID_ARGUMENT, operation, path + " position=" + position);
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      fileSystem.released(file);
    }
  }
}
