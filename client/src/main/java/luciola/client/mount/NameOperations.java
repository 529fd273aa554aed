package luciola.client.mount;

import com.google.protobuf.ByteString;
import luciola.client.cluster.InodeFiles;
import luciola.client.fuse.FuseCall;
import luciola.client.fuse.FuseEntry;
import luciola.client.fuse.FuseName;
import luciola.client.fuse.FuseOperation;
import luciola.client.fuse.FuseReply;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MakeLink;
import luciola.grpc.v1.MakeNode;
import luciola.grpc.v1.MakeSymlink;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.ReadLink;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.Rename;
import luciola.grpc.v1.Unlink;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** What programs do with names. */
record NameOperations(InodeFiles files, OpenFiles open, Attributes attributes) {
  private static final int S_IFMT = 0170000;
  private static final int S_IFREG = 0100000;
  private static final int MODE_MASK = 07777;
  private static final int RENAME_NOREPLACE = 1;
  private static final int RENAME_EXCHANGE = 2;

  static At at(long parent, FuseName name) {
    return At.newBuilder().setInode(parent).setPath(ByteString.copyFrom(name.bytes())).build();
  }

  private NamespaceReply call(FuseCall call, NamespaceRequest.Builder request) {
    return files.call(Callers.of(call), request);
  }

  /** Answers with the inode that an operation found or made. */
  private FuseReply found(FuseCall call, NamespaceRequest.Builder request) {
    return new FuseReply.Found(entry(call(call, request).getInode()));
  }

  /** An entry as this mount's programs see it. */
  FuseEntry entry(Inode inode) {
    OpenInode known = open.ofInode(inode.getId());
    return attributes.entry(known == null ? inode : known.seen(inode));
  }

  FuseReply lookup(FuseCall call, FuseOperation.Lookup asked) {
    return found(
        call,
        NamespaceRequest.newBuilder()
            .setLookup(Lookup.newBuilder().setAt(at(call.node(), asked.name()))));
  }

  FuseReply readLink(FuseCall call) {
    return FuseReply.Text.of(
        call(
                call,
                NamespaceRequest.newBuilder()
                    .setReadLink(
                        ReadLink.newBuilder().setAt(At.newBuilder().setInode(call.node()))))
            .getInode()
            .getSymlinkTarget()
            .toByteArray());
  }

  FuseReply symlink(FuseCall call, FuseOperation.SymbolicLink asked) {
    return found(
        call,
        NamespaceRequest.newBuilder()
            .setMakeSymlink(
                MakeSymlink.newBuilder()
                    .setAt(at(call.node(), asked.name()))
                    .setTarget(ByteString.copyFrom(asked.target().bytes()))));
  }

  FuseReply makeNode(FuseCall call, FuseOperation.MakeNode asked) {
    InodeType special = Attributes.special(asked.mode());
    if (special != null) {
      return found(
          call,
          NamespaceRequest.newBuilder()
              .setMakeNode(
                  MakeNode.newBuilder()
                      .setAt(at(call.node(), asked.name()))
                      .setType(special)
                      .setMode(asked.mode() & MODE_MASK)
                      .setDevice(asked.device())));
    }
    if ((asked.mode() & S_IFMT) != S_IFREG && (asked.mode() & S_IFMT) != 0) {
      return new FuseReply.Failed(Errno.EINVAL);
    }
    return found(
        call,
        NamespaceRequest.newBuilder()
            .setCreate(
                Create.newBuilder()
                    .setAt(at(call.node(), asked.name()))
                    .setMode(asked.mode() & MODE_MASK)
                    .setExclusive(true)));
  }

  FuseReply makeDirectory(FuseCall call, FuseOperation.MakeDirectory asked) {
    return found(
        call,
        NamespaceRequest.newBuilder()
            .setMakeDirectory(
                MakeDirectory.newBuilder()
                    .setAt(at(call.node(), asked.name()))
                    .setMode(asked.mode() & MODE_MASK)));
  }

  FuseReply link(FuseCall call, FuseOperation.Link asked) {
    return found(
        call,
        NamespaceRequest.newBuilder()
            .setMakeLink(
                MakeLink.newBuilder().setInode(asked.node()).setAt(at(call.node(), asked.name()))));
  }

  FuseReply unlink(FuseCall call, FuseOperation.Unlink asked) {
    At at = at(call.node(), asked.name());
    keepIfOpen(call, at);
    call(call, NamespaceRequest.newBuilder().setUnlink(Unlink.newBuilder().setAt(at)));
    return FuseReply.OK;
  }

  FuseReply removeDirectory(FuseCall call, FuseOperation.RemoveDirectory asked) {
    call(
        call,
        NamespaceRequest.newBuilder()
            .setRemoveDirectory(RemoveDirectory.newBuilder().setAt(at(call.node(), asked.name()))));
    return FuseReply.OK;
  }

  FuseReply rename(FuseCall call, FuseOperation.Rename asked) {
    if ((asked.flags() & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) {
      return new FuseReply.Failed(Errno.EINVAL);
    }
    At to = at(asked.newParent(), asked.newName());
    if (asked.flags() == 0) {
      keepIfOpen(call, to);
    }
    call(
        call,
        NamespaceRequest.newBuilder()
            .setRename(
                Rename.newBuilder()
                    .setFrom(at(call.node(), asked.name()))
                    .setTo(to)
                    .setNoReplace((asked.flags() & RENAME_NOREPLACE) != 0)
                    .setExchange((asked.flags() & RENAME_EXCHANGE) != 0)));
    return FuseReply.OK;
  }

  /** The file of a name that is about to go stays as long as a program has it open. */
  private void keepIfOpen(FuseCall call, At at) {
    if (open.isEmpty()) {
      return;
    }
    try {
      OpenInode there =
          open.ofInode(
              Callers.call(
                      files,
                      Callers.of(call),
                      NamespaceRequest.newBuilder().setLookup(Lookup.newBuilder().setAt(at)))
                  .getInode()
                  .getId());
      if (there != null) {
        there.keep();
      }
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
    }
  }
}
