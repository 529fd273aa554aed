package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.InodeId;

/** A file of the cluster, open for reading. */
final class ClusterReadableFile implements InodeReader {
  private final ClusterFileSystem fileSystem;
  private final String path;
  private final FileChunks chunks;
  private volatile long length;
  private volatile boolean closed;

  ClusterReadableFile(ClusterFileSystem fileSystem, String path, FileChunks chunks, long length) {
    this.fileSystem = fileSystem;
    this.path = path;
    this.chunks = chunks;
    this.length = length;
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public InodeId inode() {
    return chunks.inode();
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void learn(long newLength) {
    length = newLength;
  }

  @Override
  public long refresh() {
    length =
        fileSystem
            .names()
            .call(
                "refresh",
                path,
                NamespaceRequest.newBuilder()
                    .setGetAttributes(GetAttributes.newBuilder().setInode(chunks.inode().value())))
            .getInode()
            .getLength();
    return length;
  }

  @Override
  public CompletableFuture<Long> read(long offset, MemorySegment into) {
    try {
      check(offset, into);
    } catch (LuciolaException e) {
      return CompletableFuture.failedFuture(e);
    }
    long count = Math.max(0, Math.min(into.byteSize(), length - offset));
    return fileSystem
        .reads()
        .read(path, ranges(offset, into.asSlice(0, count)))
        .thenApply(_ -> count);
  }

  List<ChunkRange> ranges(long offset, MemorySegment into) {
    return ChunkRange.of(chunks, offset, into, fileSystem.reads().pieceBytesMax());
  }

  /** That this file and this memory can be read into; event loops fill it. */
  void check(long offset, MemorySegment into) {
    if (closed) {
      throw new LuciolaException(ErrorCode.BAD_SESSION, "read: path=" + path + " (closed)");
    }
    if (offset < 0 || !into.isNative() || into.isReadOnly()) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "read: path="
              + path
              + " offset="
              + offset
              + " native="
              + into.isNative()
              + " readOnly="
              + into.isReadOnly());
    }
    if (!into.isAccessibleBy(fileSystem.anotherThread())) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "read: path=" + path + " (memory of a confined arena; use a shared or the global one)");
    }
  }

  boolean isClosed() {
    return closed;
  }

  boolean isOf(ClusterFileSystem other) {
    return fileSystem == other;
  }

  @Override
  public void close() {
    closed = true;
  }
}
