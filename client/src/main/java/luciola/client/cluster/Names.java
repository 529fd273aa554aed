package luciola.client.cluster;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.PathNames;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.InodeId;

/** Namespace calls of one user, with paths as programs write them. */
final class Names {
  private final MetaConnection meta;
  private final Optional<Identity> identity;

  /**
   * @param identity in whose name; empty: the user of the connection's token
   */
  Names(MetaConnection meta, Optional<Identity> identity) {
    this.meta = meta;
    this.identity = identity;
  }

  /** One call; a fault names the operation and the path. */
  NamespaceReply call(String operation, String path, NamespaceRequest.Builder request) {
    try {
      identity.ifPresent(request::setIdentity);
      return meta.call(request);
    } catch (LuciolaException e) {
      throw new LuciolaException(
          e.code(), operation + ": path=" + path + " " + Waiting.detail(e), e);
    }
  }

  /** A path as the meta-server takes it: from the root, without the first slash. */
  static At at(String operation, String path) {
    List<String> names = PathNames.components(operation, path);
    return At.newBuilder().setPath(ByteString.copyFromUtf8(String.join("/", names))).build();
  }

  static FileStat stat(Inode inode) {
    return new FileStat(
        new InodeId(inode.getId()),
        switch (inode.getType()) {
          case INODE_TYPE_FILE -> FileType.FILE;
          case INODE_TYPE_DIRECTORY -> FileType.DIRECTORY;
          case INODE_TYPE_SYMLINK -> FileType.SYMLINK;
          case INODE_TYPE_FIFO -> FileType.FIFO;
          case INODE_TYPE_SOCKET -> FileType.SOCKET;
          case INODE_TYPE_CHARACTER_DEVICE -> FileType.CHARACTER_DEVICE;
          case INODE_TYPE_BLOCK_DEVICE -> FileType.BLOCK_DEVICE;
          case INODE_TYPE_UNSPECIFIED, UNRECOGNIZED ->
              throw new LuciolaException(
                  ErrorCode.INTERNAL, "unknown kind of inode: inode=" + inode.getId());
        },
        inode.getMode(),
        inode.getUid(),
        inode.getGid(),
        inode.getNlink(),
        inode.getLength(),
        inode.getAccessedNanos(),
        inode.getModifiedNanos(),
        inode.getChangedNanos());
  }
}
