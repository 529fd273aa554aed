package luciola.client.mount;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseChange;
import luciola.client.fuse.FuseNumbers;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.SetAttributes;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/** What programs do with files but for reading them. */
final class FileOperations {
  private static final int O_ACCMODE = 3;
  private static final int O_RDONLY = 0;
  private static final int O_EXCL = 0200;
  private static final int O_TRUNC = 01000;
  private static final int O_APPEND = 02000;
  private static final int MODE_MASK = 07777;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;
  private static final int ZERO_RANGE = 16;
  private static final MemorySegment ZEROS = Arena.global().allocate(1 << 20, 4096);

  private final InodeFiles files;
  private final OpenFiles open;
  private final Attributes attributes;
  private final Privileges privileges;

  private final PageCache pages;
  private final LockOperations locks;
  private final boolean direct;

  /**
   * What programs do.
   *
   * @param direct whether all they read and write passes the kernel's page cache, and others see
   *     what was written when the write returns
   */
  FileOperations(
      InodeFiles files,
      OpenFiles open,
      Attributes attributes,
      PageCache pages,
      LockOperations locks,
      boolean direct) {
    this.direct = direct;
    this.files = files;
    this.privileges = new Privileges(files, open);
    this.open = open;
    this.attributes = attributes;
    this.pages = pages;
    this.locks = locks;
  }

  private Inode inode(long node) {
    return files
        .call(
            Callers.MOUNT,
            NamespaceRequest.newBuilder()
                .setGetAttributes(GetAttributes.newBuilder().setInode(node)))
        .getInode();
  }

  private FuseReply attributes(Inode inode) {
    OpenInode known = open.ofInode(inode.getId());
    return new FuseReply.Attributes(
        Attributes.of(known == null ? inode : known.seen(inode)), attributes.nanos());
  }

  /** A removed file is there for programs that have it open, not for a name that went elsewhere. */
  FuseReply getAttributes(FuseCall call) {
    Inode inode = inode(call.node());
    if (inode.getNlink() == 0 && open.ofInode(call.node()) == null) {
      throw new LuciolaException(ErrorCode.NOT_FOUND, "removed: inode=" + call.node());
    }
    return attributes(inode);
  }

  FuseReply open(FuseCall call, FuseOperation.Open asked) {
    boolean write = (asked.flags() & O_ACCMODE) != O_RDONLY;
    Identity who = Callers.of(call);
    OpenInode there = open.ofInode(call.node());
    NamespaceReply reply =
        files.call(
            who,
            NamespaceRequest.newBuilder()
                .setOpen(
                    Open.newBuilder()
                        .setAt(At.newBuilder().setInode(call.node()))
                        .setWrite(write && there == null)));
    Inode inode = reply.getInode();
    long handle = open.open(inode);
    OpenInode file = file(handle);
    file.openedBy(who, write);
    try {
      if (reply.getOpen().getSession() != 0) {
        file.adopt(inode, reply.getOpen().getSession());
      } else if (write) {
        var _ = file.writer(who);
      }
      if (write && (asked.flags() & O_TRUNC) != 0) {
        file.truncate(who, 0);
        if (asked.killsPrivileges()) {
          privileges.kill(call, inode.getMode());
        }
      }
    } catch (RuntimeException e) {
      open.close(handle);
      throw e;
    }
    return new FuseReply.Opened(handle, cacheFlags(asked.flags(), pages.isRight(inode)));
  }

  FuseReply create(FuseCall call, FuseOperation.Create asked) {
    boolean write = (asked.flags() & O_ACCMODE) != O_RDONLY;
    Identity who = Callers.of(call);
    NamespaceReply reply =
        files.call(
            who,
            NamespaceRequest.newBuilder()
                .setCreate(
                    Create.newBuilder()
                        .setAt(NameOperations.at(call.node(), asked.name()))
                        .setMode(asked.mode() & MODE_MASK)
                        .setExclusive((asked.flags() & O_EXCL) != 0)
                        .setOpenForWrite(write)));
    Inode inode = reply.getInode();
    long handle = open.open(inode);
    OpenInode file = file(handle);
    file.openedBy(who, write);
    try {
      if (reply.getOpen().getSession() != 0) {
        file.adopt(inode, reply.getOpen().getSession());
      }
      if (write && !reply.getOpen().getCreated() && (asked.flags() & O_TRUNC) != 0) {
        file.truncate(who, 0);
        if (asked.killsPrivileges()) {
          privileges.kill(call, inode.getMode());
        }
      }
    } catch (RuntimeException e) {
      open.close(handle);
      throw e;
    }
    return new FuseReply.Created(
        attributes.entry(file.seen(inode)), handle, cacheFlags(asked.flags(), false));
  }

  private OpenInode file(long handle) {
    OpenInode file = open.file(handle);
    if (file == null) {
      throw new IllegalStateException("no such open file: handle=" + handle);
    }
    return file;
  }

  /**
   * Where the end is, the kernel does not know. It passes its page cache, so that it keeps nothing
   * in a wrong place, and what others here have cached of the file's end is made void.
   */
  private FuseReply append(FuseCall call, FuseOperation.Write asked, OpenInode file) {
    FuseReply reply = file.turn(locks).append(call.unique(), asked.data());
    if (reply instanceof FuseReply.Written) {
      shown(file);
      pages.invalidate(call.node());
    }
    return reply;
  }

  /** Whether a call has to wait for others that append. */
  static boolean appends(FuseOperation.Write asked) {
    return (asked.flags() & O_APPEND) != 0;
  }

  private void shown(OpenInode file) {
    if (direct) {
      file.show();
    }
  }

  private int cacheFlags(int openFlags, boolean right) {
    return direct || (openFlags & O_APPEND) != 0
        ? FuseNumbers.OPEN_DIRECT
        : right ? FuseNumbers.OPEN_KEEP_CACHE : 0;
  }

  FuseReply write(FuseCall call, FuseOperation.Write asked) {
    OpenInode file = open.file(asked.handle());
    if (file == null) {
      return new FuseReply.Failed(Errno.EBADF);
    }
    if (asked.killsPrivileges()) {
      privileges.kill(call, file.mode());
    }
    if ((asked.flags() & O_APPEND) != 0) {
      return append(call, asked, file);
    }
    locks.require(call.node());
    file.write(Callers.MOUNT, asked.offset(), asked.data());
    shown(file);
    return new FuseReply.Written((int) asked.data().byteSize());
  }

  FuseReply sync(FuseCall call, FuseOperation.Sync asked) {
    locks.require(call.node());
    return publish(asked.handle());
  }

  /** After a close or at an fsync: durable, and known to all. */
  FuseReply publish(long handle) {
    OpenInode file = open.file(handle);
    if (file == null) {
      return new FuseReply.Failed(Errno.EBADF);
    }
    file.publish();
    return FuseReply.OK;
  }

  /** A program has closed a descriptor: POSIX locks of its owner end with any of them. */
  FuseReply flush(FuseCall call, FuseOperation.Flush asked) {
    try {
      if (locks.isLost(call.node())) {
        return new FuseReply.Failed(Errno.EIO);
      }
      return publish(asked.handle());
    } finally {
      locks.closed(call.node(), asked.lockOwner());
    }
  }

  FuseReply close(FuseCall call, FuseOperation.Release asked) {
    try {
      open.close(asked.handle());
    } finally {
      locks.released(call.node(), asked);
    }
    return FuseReply.OK;
  }

  FuseReply setAttributes(FuseCall call, FuseChange change) {
    Identity who = Callers.of(call);
    if (change.size().isPresent()) {
      truncate(call.node(), change, who);
    }
    if (change.killsPrivileges()) {
      privileges.kill(call, Privileges.SET_IDS);
    }
    SetAttributes.Builder set = SetAttributes.newBuilder();
    set.setAt(At.newBuilder().setInode(call.node()));
    boolean more =
        change.mode().isPresent() || change.uid().isPresent() || change.gid().isPresent();
    change.mode().ifPresent(mode -> set.setMode(mode & MODE_MASK));
    change.uid().ifPresent(set::setUid);
    change.gid().ifPresent(set::setGid);
    if (change.accessed().isPresent()) {
      more = true;
      switch (change.accessed().get()) {
        case FuseChange.Now _ -> set.setAccessedNow(true);
        case FuseChange.At at -> set.setAccessedNanos(Attributes.nanos(at));
      }
    }
    if (change.modified().isPresent() && change.size().isEmpty()) {
      more = true;
      switch (change.modified().get()) {
        case FuseChange.Now _ -> set.setModifiedNow(true);
        case FuseChange.At at -> set.setModifiedNanos(Attributes.nanos(at));
      }
    }
    OpenInode file = open.ofInode(call.node());
    if (more && file != null) {
      // The close must not overwrite the times that are set now.
      file.publish();
    }
    return attributes(
        more
            ? files.call(who, NamespaceRequest.newBuilder().setSetAttributes(set)).getInode()
            : inode(call.node()));
  }

  private void truncate(long node, FuseChange change, Identity who) {
    long size = change.size().orElseThrow();
    locks.require(node);
    @Nullable OpenInode file =
        change.handle().isPresent() ? open.file(change.handle().getAsLong()) : open.ofInode(node);
    if (file != null) {
      file.truncate(change.handle().isPresent() ? Callers.MOUNT : who, size);
      return;
    }
    var _ =
        open.during(
            inode(node),
            opened -> {
              opened.truncate(who, size);
              return true;
            });
  }

  FuseReply allocate(FuseCall call, FuseOperation.Allocate asked) {
    OpenInode file = open.file(asked.handle());
    if (file == null) {
      return new FuseReply.Failed(Errno.EBADF);
    }
    locks.require(call.node());
    boolean keepSize = (asked.mode() & KEEP_SIZE) != 0;
    boolean zero = (asked.mode() & (PUNCH_HOLE | ZERO_RANGE)) != 0;
    if ((asked.mode() & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) != 0) {
      return new FuseReply.Failed(Errno.EOPNOTSUPP);
    }
    if (call.uid() != 0) {
      privileges.kill(call, file.mode());
    }
    long end = asked.offset() + asked.length();
    long length = file.writer(Callers.MOUNT).length();
    if (zero) {
      long zeroed = Math.min(end, length);
      for (long at = asked.offset(); at < zeroed; at += ZEROS.byteSize()) {
        file.write(Callers.MOUNT, at, ZEROS.asSlice(0, Math.min(ZEROS.byteSize(), zeroed - at)));
      }
      shown(file);
    }
    if (!keepSize && end > length) {
      file.truncate(Callers.MOUNT, end);
    }
    return FuseReply.OK;
  }
}
