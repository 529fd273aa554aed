package luciola.client.mount;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.client.fuse.FuseSession;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cluster's files under a directory of this machine. All programs of the mount see each other's
 * writes at once; those of other clients as late as {@link MountOptions#attributeTime} says, and
 * always when a file is opened after it was closed there; past the page cache, bytes are seen as
 * soon as the write has returned ({@link MountOptions#direct}).
 *
 * <p>This process must not touch files under its own mount.
 */
public final class LuciolaMount implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LuciolaMount.class);

  private final ClusterFileSystem fileSystem;
  private final OpenFiles open;
  private final NameOperations names;
  private final FileOperations files;
  private final DirectoryOperations directories;
  private final ReadOperations reads;
  private final PageCache pages;
  private final LockOperations locks;
  private final ExtendedOperations extended;
  private final ExecutorService blocking =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("mount-", 0).factory());
  private final LongReaders readers;
  private final FuseSession session;

  private LuciolaMount(ClusterFileSystem fileSystem, Path directory, MountOptions options)
      throws IOException {
    this.fileSystem = fileSystem;
    var attributes = new Attributes(options.attributeTime().toNanos());
    this.open =
        new OpenFiles(
            fileSystem.inodes(), options.direct() ? attributes.nanos() : OpenInode.FOR_EVER);
    this.names = new NameOperations(fileSystem.inodes(), open, attributes);
    this.pages = new PageCache(this::invalidate);
    this.locks =
        new LockOperations(fileSystem.locks(), fileSystem.meta().client().value(), open, pages);
    this.files =
        new FileOperations(fileSystem.inodes(), open, attributes, pages, locks, options.direct());
    this.directories = new DirectoryOperations(fileSystem.inodes(), names);
    this.extended = new ExtendedOperations(fileSystem.inodes(), open);
    this.reads =
        new ReadOperations(
            open, locks, blocking, LuciolaMount::fault, options.fuse().writeBytesMax());
    this.readers = new LongReaders(open);
    this.session = FuseSession.mount(directory, "luciola", options.fuse(), this::handle);
    ReadAhead.set(directory, options.readAheadBytes());
  }

  /**
   * Mounts; needs root.
   *
   * @param fileSystem connected as user 0; stays the caller's to close, after this
   * @param directory that exists, and lies in no mount of this process
   * @throws IOException if it cannot be mounted there, with what to do about it
   */
  public static LuciolaMount mount(
      ClusterFileSystem fileSystem, Path directory, MountOptions options) throws IOException {
    return new LuciolaMount(fileSystem, directory, options);
  }

  /** Returns once nothing is mounted any more. */
  public void await() throws InterruptedException {
    session.await();
  }

  /**
   * Unmounts, and writes what is still open. If the mount is in use, it disappears and ends with
   * its last user.
   */
  @Override
  public void close() {
    session.close();
    readers.close();
    open.closeAll();
    locks.close();
    blocking.close();
    pages.close();
  }

  private void invalidate(long node) {
    session.invalidate(node, 0, 0);
  }

  private void handle(FuseCall call) {
    switch (call.operation()) {
      case FuseOperation.Read read -> reads.read(call, read);
      case FuseOperation.Forget forget -> forget.nodes().forEach(each -> pages.forget(each.node()));
      case FuseOperation.Interrupt(long unique) -> locks.interrupt(unique);
      case FuseOperation.Destroy _ -> {}
      case FuseOperation.SetLock lock when lock.waits() -> whileWaiting(call);
      case FuseOperation.Write write when FileOperations.appends(write) -> whileWaiting(call);
      default -> blocking.execute(() -> call.answer(reply(call)));
    }
  }

  /** Answers a call that may wait long, until it is interrupted. */
  private void whileWaiting(FuseCall call) {
    locks.begin(call.unique());
    blocking.execute(() -> {
      FuseReply reply = reply(call);
      locks.end(call.unique());
      call.answer(reply);
    });
  }

  private FuseReply reply(FuseCall call) {
    try {
      return switch (call.operation()) {
        case FuseOperation.Lookup asked -> names.lookup(call, asked);
        case FuseOperation.GetAttributes _ -> files.getAttributes(call);
        case FuseOperation.SetAttributes asked -> files.setAttributes(call, asked.change());
        case FuseOperation.ReadLink _ -> names.readLink(call);
        case FuseOperation.SymbolicLink asked -> names.symlink(call, asked);
        case FuseOperation.MakeNode asked -> names.makeNode(call, asked);
        case FuseOperation.MakeDirectory asked -> names.makeDirectory(call, asked);
        case FuseOperation.Unlink asked -> names.unlink(call, asked);
        case FuseOperation.RemoveDirectory asked -> names.removeDirectory(call, asked);
        case FuseOperation.Rename asked -> names.rename(call, asked);
        case FuseOperation.Link asked -> names.link(call, asked);
        case FuseOperation.Open asked -> files.open(call, asked);
        case FuseOperation.Create asked -> files.create(call, asked);
        case FuseOperation.Write asked -> files.write(call, asked);
        case FuseOperation.Flush asked -> files.flush(call, asked);
        case FuseOperation.Sync asked -> files.sync(call, asked);
        case FuseOperation.Release asked -> files.close(call, asked);
        case FuseOperation.Allocate asked -> files.allocate(call, asked);
        case FuseOperation.OpenDirectory _ -> directories.open(call);
        case FuseOperation.ReadDirectory asked -> directories.read(call, asked);
        case FuseOperation.ReleaseDirectory asked -> directories.close(asked);
        case FuseOperation.SyncDirectory _ -> FuseReply.OK;
        case FuseOperation.FileSystemStatus _ -> FileSystemStatus.of(fileSystem, call);
        case FuseOperation.SetExtended asked -> extended.set(call, asked);
        case FuseOperation.GetExtended asked -> extended.get(call, asked);
        case FuseOperation.ListExtended asked -> extended.list(call, asked);
        case FuseOperation.RemoveExtended asked -> extended.remove(call, asked);
        case FuseOperation.GetLock asked -> locks.test(call, asked);
        case FuseOperation.SetLock asked -> locks.set(call, asked);
        // The kernel does these by itself then, or says that they are not there.
        case FuseOperation.Seek _, FuseOperation.CopyRange _, FuseOperation.Unknown _ ->
            new FuseReply.Failed(Errno.ENOSYS);
        case FuseOperation.Read _,
            FuseOperation.Forget _,
            FuseOperation.Interrupt _,
            FuseOperation.Destroy _ ->
            throw new IllegalStateException("handled before: " + call.operation());
      };
    } catch (RuntimeException e) {
      return fault(call, e);
    }
  }

  /**
   * Whether a node is not there any more, though the kernel believes in its name: told so it looks
   * the name up again before it tells the program.
   */
  private static boolean isGone(FuseCall call, LuciolaException fault) {
    return fault.code() == ErrorCode.NOT_FOUND
        && switch (call.operation()) {
          case FuseOperation.Open _,
              FuseOperation.OpenDirectory _,
              FuseOperation.GetAttributes _,
              FuseOperation.SetAttributes _,
              FuseOperation.ReadLink _,
              FuseOperation.GetExtended _,
              FuseOperation.SetExtended _,
              FuseOperation.ListExtended _,
              FuseOperation.RemoveExtended _ ->
              true;
          default -> false;
        };
  }

  private static FuseReply fault(FuseCall call, Throwable fault) {
    Throwable cause =
        fault instanceof CompletionException && fault.getCause() != null ? fault.getCause() : fault;
    if (cause instanceof LuciolaException known) {
      int errno = isGone(call, known) ? Errno.ESTALE : known.code().errno();
      if (errno == Errno.EIO) {
        log.warn("failed operation={} node={}", call.operation(), call.node(), known);
      }
      return new FuseReply.Failed(errno == 0 ? Errno.EIO : errno);
    }
    log.error("failed operation={} node={}", call.operation(), call.node(), cause);
    return new FuseReply.Failed(Errno.EIO);
  }
}
