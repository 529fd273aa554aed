package luciola.client.cluster;

import luciola.grpc.v1.HoldLength;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Bytes past the end of a file that nobody will tell of. They are removed only by a writer that is
 * alone with the file while it does so: bytes of another one, who tells of them later, lie in the
 * same place. Blocks.
 */
final class Leftovers {
  private final Names names;
  private final FileCutter cutter;
  private final SessionKeeper sessions;

  Leftovers(Names names, FileCutter cutter, SessionKeeper sessions) {
    this.names = names;
    this.cutter = cutter;
    this.sessions = sessions;
  }

  /**
   * Removes them, if nobody else has the file open for writing.
   *
   * @param session this client's own, to write; on a fault it has to be ended, as it may hold the
   *     file
   * @return whether there are none any more; not if others write
   */
  boolean remove(String operation, String path, FileChunks file, long session) {
    HoldLength.Builder hold =
        HoldLength.newBuilder().setInode(file.inode().value()).setSession(session);
    Inode held;
    try {
      held =
          names.call(operation, path, NamespaceRequest.newBuilder().setHoldLength(hold)).getInode();
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_PERMITTED) {
        return false;
      }
      throw e;
    }
    sessions.renew();
    cutter.cut(file, held.getLength(), () -> requireKept(operation, path));
    var _ =
        names.call(
            operation, path, NamespaceRequest.newBuilder().setHoldLength(hold.setDone(true)));
    return true;
  }

  /** A client that was held for longer than its lease may not be alone any more. */
  private void requireKept(String operation, String path) {
    if (!sessions.areKept()) {
      throw new LuciolaException(
          ErrorCode.BAD_SESSION, operation + ": path=" + path + " (the lease may have ended)");
    }
  }
}
