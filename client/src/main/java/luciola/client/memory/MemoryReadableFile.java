package luciola.client.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.client.ReadableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.InodeId;

/** A file in memory, open for reading. */
final class MemoryReadableFile implements ReadableFile {
  private final MemoryFileSystem fileSystem;
  private final String path;
  private final MemoryInode.File file;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long length;

  MemoryReadableFile(MemoryFileSystem fileSystem, String path, MemoryInode.File file) {
    this.fileSystem = fileSystem;
    this.path = path;
    this.file = file;
    fileSystem.opened(file);
    this.length = fileSystem.length(file);
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
    return length;
  }

  @Override
  public long refresh() {
    length = fileSystem.length(file);
    return length;
  }

  @Override
  public CompletableFuture<Long> read(long offset, MemorySegment into) {
    if (closed.get()) {
      return CompletableFuture.failedFuture(
          MemoryFileSystem.fault(ErrorCode.BAD_SESSION, "read", path + " (closed)"));
    }
    if (offset < 0 || !into.isNative()) {
      return CompletableFuture.failedFuture(
          MemoryFileSystem.fault(
              ErrorCode.INVALID_ARGUMENT,
              "read",
              path + " offset=" + offset + " native=" + into.isNative()));
    }
    return CompletableFuture.completedFuture(fileSystem.read(file, offset, into));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      fileSystem.released(file);
    }
  }
}
