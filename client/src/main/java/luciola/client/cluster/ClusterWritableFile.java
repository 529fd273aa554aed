package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.Truncate;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.InodeId;
import org.jspecify.annotations.Nullable;

/**
 * A file of the cluster, open for writing. Its methods run one at a time.
 *
 * <p>An error of a background write is raised by the next {@link #write}; the bytes stay, and the
 * next call of any kind sends them again. {@link #sync} and {@link #close} send again themselves
 * and raise only what fails then. A failed {@link #close} ends the session all the same: its error
 * is the last word about those bytes, and the length is not published past what was synced.
 *
 * <p>The meta-server hears of a {@link #sync} only when the file grew; of a changed time, at the
 * close or at {@link #publish}.
 */
final class ClusterWritableFile implements InodeWriter {
  private final ClusterFileSystem fileSystem;
  private final String path;
  private final FileChunks chunks;
  private final long session;
  private final WriteBack back;
  private final QuotaRoom room;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile long generation;
  private volatile long length;
  private long published;
  private volatile boolean modified;
  private boolean closed;

  /** End of what was written since it was published. */
  private long writtenTo;

  ClusterWritableFile(
      ClusterFileSystem fileSystem, String path, FileChunks chunks, Inode inode, long session) {
    this.fileSystem = fileSystem;
    this.path = path;
    this.chunks = chunks;
    this.session = session;
    this.generation = inode.getTruncateGeneration();
    this.length = inode.getLength();
    this.published = inode.getLength();
    this.room = new QuotaRoom(fileSystem.names(), path);
    this.room.learn(inode);
    this.back =
        new WriteBack(
            chunks, fileSystem.updates(), bytes -> fileSystem.writeMemory().acquire(this, bytes));
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
  public void write(long offset, MemorySegment from) {
    lock.lock();
    try {
      checkOpen("write");
      if (offset < 0 || offset > chunks.lengthMax() - from.byteSize()) {
        throw new LuciolaException(
            offset < 0 ? ErrorCode.INVALID_ARGUMENT : ErrorCode.FILE_TOO_LARGE,
            "write: path=" + path + " offset=" + offset + " bytes=" + from.byteSize());
      }
      raise("write", back.takeUnreported());
      back.retry();
      if (from.byteSize() > 0) {
        makeRoom(offset + from.byteSize());
        back.put(offset, from);
        length = Math.max(length, offset + from.byteSize());
        writtenTo = Math.max(writtenTo, offset + from.byteSize());
        modified = true;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets the file end there, as far as its quotas allow it. */
  private void makeRoom(long end) {
    if (!room.holds(end, published)) {
      if (length > published) {
        send("write");
        tellLength("write");
      }
      room.require(chunks.inode().value(), end, published);
    }
  }

  @Override
  public void truncate(long newLength) {
    lock.lock();
    try {
      checkOpen("truncate");
      if (newLength < 0 || newLength > chunks.lengthMax()) {
        throw new LuciolaException(
            newLength < 0 ? ErrorCode.INVALID_ARGUMENT : ErrorCode.FILE_TOO_LARGE,
            "truncate: path=" + path + " length=" + newLength);
      }
      send("truncate");
      cut(newLength);
    } finally {
      lock.unlock();
    }
  }

  /** Removes what lies past the new end, then sets the length; nothing may be on its way. */
  void cut(long newLength) {
    if (newLength < length || newLength == 0) {
      fileSystem.cutter().cut(chunks, newLength);
    }
    Inode inode =
        fileSystem
            .names()
            .call(
                "truncate",
                path,
                NamespaceRequest.newBuilder()
                    .setTruncate(
                        Truncate.newBuilder()
                            .setInode(chunks.inode().value())
                            .setLength(newLength)))
            .getInode();
    room.learn(inode);
    generation = inode.getTruncateGeneration();
    length = newLength;
    published = newLength;
    modified = false;
    writtenTo = 0;
  }

  @Override
  public void learn(Inode inode) {
    lock.lock();
    try {
      learned(inode);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void learnIfIdle(Inode inode) {
    if (lock.tryLock()) {
      try {
        learned(inode);
      } finally {
        lock.unlock();
      }
    }
  }

  private void learned(Inode inode) {
    // What was asked before a cut of this client's own may be answered after it.
    if (inode.getTruncateGeneration() > generation) {
      generation = inode.getTruncateGeneration();
      published = inode.getLength();
      length = Math.max(published, writtenTo);
    } else if (inode.getTruncateGeneration() == generation) {
      published = Math.max(published, inode.getLength());
      length = Math.max(length, published);
    }
  }

  @Override
  public boolean isSettled() {
    return back.isEmpty();
  }

  @Override
  public void settle() {
    lock.lock();
    try {
      checkOpen("settle");
      send("settle");
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isModified() {
    return modified;
  }

  @Override
  public long generation() {
    return generation;
  }

  @Override
  public void sync() {
    sync(false);
  }

  @Override
  public void publish() {
    sync(true);
  }

  private void sync(boolean times) {
    lock.lock();
    try {
      checkOpen("sync");
      send("sync");
      if (length > published || (times && modified)) {
        tellLength("sync");
      }
    } finally {
      lock.unlock();
    }
  }

  private void tellLength(String operation) {
    PublishLength.Builder told =
        PublishLength.newBuilder()
            .setInode(chunks.inode().value())
            .setSession(session)
            .setLength(length)
            .setTruncateGeneration(generation);
    try {
      room.learn(
          fileSystem
              .names()
              .call(operation, path, NamespaceRequest.newBuilder().setPublishLength(told))
              .getInode());
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.QUOTA_EXCEEDED) {
        room.refused(published);
      }
      throw e;
    }
    published = length;
    modified = false;
    writtenTo = 0;
  }

  /** Everything written so far, durable on every replica. */
  private void send(String operation) {
    back.flush();
    back.retry();
    raise(operation, back.awaitSent());
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      fileSystem.writeMemory().closed(this);
      LuciolaException fault = sendLast();
      end(fault == null);
      raise("close", fault);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable LuciolaException sendLast() {
    back.flush();
    back.retry();
    LuciolaException fault = back.awaitSent();
    back.abandon();
    return fault;
  }

  private void end(boolean complete) {
    Close.Builder close = closing(complete);
    try {
      var _ = end(close);
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.QUOTA_EXCEEDED) {
        throw e;
      }
      // The file stays as long as it was told to be; what lies after that goes.
      var _ = end(close.clearLength().setUntold(!dropUntold(e)));
      throw e;
    } finally {
      fileSystem.sessions().ended();
    }
  }

  private Close.Builder closing(boolean complete) {
    Close.Builder close =
        Close.newBuilder()
            .setInode(chunks.inode().value())
            .setSession(session)
            .setTruncateGeneration(generation);
    if (complete && modified) {
      close.setLength(length).setModified(true);
    }
    return close.setUntold(!complete && length > published);
  }

  private Inode end(Close.Builder close) {
    return fileSystem
        .names()
        .call("close", path, NamespaceRequest.newBuilder().setClose(close))
        .getInode();
  }

  /**
   * Closes a file without a name: gives it one, once everything written is durable.
   *
   * @param naming puts the name, and what goes with it, into the request
   * @throws LuciolaException if it did not get the name; it is gone then
   */
  Inode closeNamed(Consumer<Close.Builder> naming) {
    lock.lock();
    try {
      checkOpen("publish");
      closed = true;
      fileSystem.writeMemory().closed(this);
      LuciolaException fault = sendLast();
      try {
        raise("publish", fault);
        Close.Builder close = closing(true);
        naming.accept(close);
        return end(close);
      } catch (LuciolaException e) {
        giveUp(e);
        throw e;
      } finally {
        fileSystem.sessions().ended();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Closes a file without a name, which is gone then; what was not sent yet is not sent. */
  void drop() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        fileSystem.writeMemory().closed(this);
        var _ = back.awaitSent();
        back.abandon();
        try {
          var _ = end(closing(false));
        } finally {
          fileSystem.sessions().ended();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void giveUp(LuciolaException because) {
    try {
      var _ = end(closing(false));
    } catch (LuciolaException suppressed) {
      because.addSuppressed(suppressed);
    }
  }

  /**
   * Removes what lies past the end, unless others write too: what they tell of later stays.
   *
   * @return whether nothing lies there any more
   */
  boolean dropUntold() {
    return fileSystem.leftovers().remove("close", path, chunks, session);
  }

  private boolean dropUntold(LuciolaException because) {
    try {
      return dropUntold();
    } catch (LuciolaException suppressed) {
      because.addSuppressed(suppressed);
      return false;
    }
  }

  @Override
  public void lose() {
    lock.lock();
    try {
      if (!closed) {
        fileSystem.writeMemory().closed(this);
        fileSystem.sessions().ended();
        abandon();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives up everything without a word to the servers: the client closes. */
  void abandon() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        var _ = back.awaitSent();
        back.abandon();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Sends what is gathering; by the holder of the lock. */
  void flushGathered() {
    back.flush();
  }

  /** Sends what is gathering, unless somebody is writing just now. */
  void flushIfIdle() {
    if (!lock.isHeldByCurrentThread() && lock.tryLock()) {
      try {
        back.flush();
      } finally {
        lock.unlock();
      }
    }
  }

  private void checkOpen(String operation) {
    if (closed) {
      throw new LuciolaException(ErrorCode.BAD_SESSION, operation + ": path=" + path + " (closed)");
    }
  }

  private void raise(String operation, @Nullable LuciolaException fault) {
    if (fault != null) {
      throw new LuciolaException(
          fault.code(), operation + ": path=" + path + " " + Waiting.detail(fault), fault);
    }
  }
}
