package luciola.client.cluster;

import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.error.LuciolaException;

/**
 * Files by the numbers of their inodes, in the name of any user: for who keeps inodes and not
 * paths, as a mount does.
 */
public final class InodeFiles {
  private final ClusterFileSystem fileSystem;
  private final MetaConnection meta;

  InodeFiles(ClusterFileSystem fileSystem, MetaConnection meta) {
    this.fileSystem = fileSystem;
    this.meta = meta;
  }

  /**
   * One call of the namespace.
   *
   * @throws LuciolaException as the operation has them
   */
  public NamespaceReply call(Identity who, NamespaceRequest.Builder request) {
    return meta.call(request.setIdentity(who));
  }

  /** A file to read, as long as its inode says; nothing is asked of the meta-server. */
  public InodeReader reader(Inode inode) {
    return new ClusterReadableFile(
        fileSystem, name(inode), fileSystem.chunks(inode), inode.getLength());
  }

  /** A file to write to in a session that an open gave; closing it ends the session. */
  public InodeWriter writer(Inode inode, long session) {
    return fileSystem.writer(name(inode), inode, session);
  }

  /** From now on this client's sessions are kept alive for one more, opened by {@link #call}. */
  public void sessionBegan() {
    fileSystem.sessions().began();
  }

  /** See {@link #sessionBegan}. */
  public void sessionEnded() {
    fileSystem.sessions().ended();
  }

  private static String name(Inode inode) {
    return "inode=" + inode.getId();
  }
}
