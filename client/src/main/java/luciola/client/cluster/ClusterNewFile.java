package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import luciola.client.AttributeChange;
import luciola.client.FileStat;
import luciola.client.NewFile;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Inode;
import luciola.protocol.error.LuciolaException;

/** A file of the cluster that has no name yet: its session alone keeps it. */
final class ClusterNewFile implements NewFile {
  private final ClusterFileSystem fileSystem;
  private final ClusterWritableFile file;
  private final Inode inode;
  private boolean ended;

  ClusterNewFile(ClusterFileSystem fileSystem, ClusterWritableFile file, Inode inode) {
    this.fileSystem = fileSystem;
    this.file = file;
    this.inode = inode;
  }

  @Override
  public String path() {
    return file.path();
  }

  @Override
  public void write(long offset, MemorySegment from) {
    file.write(offset, from);
  }

  @Override
  public CompletableFuture<Long> read(long offset, MemorySegment into) {
    try {
      file.settle();
    } catch (LuciolaException e) {
      return CompletableFuture.failedFuture(e);
    }
    return new ClusterReadableFile(fileSystem, file.path(), fileSystem.chunks(inode), file.length())
        .read(offset, into);
  }

  @Override
  public FileStat publish(AttributeChange as) {
    ended = true;
    return Names.stat(file.closeNamed(close -> naming(close, as)));
  }

  private void naming(Close.Builder close, AttributeChange as) {
    close.setName(Names.at("publish", file.path()));
    as.mode().ifPresent(close::setMode);
    as.modifiedNanos().ifPresent(close::setModifiedNanos);
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      file.drop();
    }
  }
}
