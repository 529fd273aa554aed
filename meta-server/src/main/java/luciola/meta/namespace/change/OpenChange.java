package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.Open;
import luciola.grpc.v1.OpenResult;
import luciola.grpc.v1.StoredSession;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.protocol.error.ErrorCode;

/**
 * Opens a file for writing, or keeps it for a reader: a session that keeps it alive until it is
 * closed.
 */
public final class OpenChange {
  static final StoredSession WRITER = StoredSession.getDefaultInstance();
  private static final StoredSession READER = StoredSession.newBuilder().setReads(true).build();
  private static final StoredSession ALONE = StoredSession.newBuilder().setAlone(true).build();

  private OpenChange() {}

  static NamespaceReply.Builder apply(Operation operation, Open asked) {
    if (asked.getKeep()) {
      return keep(operation, operation.walk().openInode(asked.getAt()), asked);
    }
    Inode inode = operation.walk().inode(asked.getAt(), true);
    if (asked.getAlone()) {
      Refusal.unless(
          asked.getWrite() && !asked.getTruncate(),
          ErrorCode.INVALID_ARGUMENT,
          "alone is for writing and does not truncate");
      return alone(operation, inode);
    }
    return open(operation, inode, asked.getWrite(), asked.getTruncate());
  }

  /** A reader's session; a file that lost its last name a moment ago is garbage no more. */
  private static NamespaceReply.Builder keep(Operation operation, Inode inode, Open asked) {
    Refusal.unless(
        !asked.getWrite() && !asked.getTruncate(),
        ErrorCode.INVALID_ARGUMENT,
        "who keeps a file to read it does not write");
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_FILE,
        ErrorCode.INVALID_ARGUMENT,
        "not a file: inode=" + inode.getId());
    Permissions.require(inode, operation.who(), Permissions.READ);
    long session =
        operation.tree().openSession(inode, operation.client(), operation.nowNanos(), READER);
    return Operation.reply(inode).setOpen(OpenResult.newBuilder().setSession(session));
  }

  static NamespaceReply.Builder open(
      Operation operation, Inode inode, boolean write, boolean truncate) {
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_DIRECTORY || !(write || truncate),
        ErrorCode.IS_A_DIRECTORY,
        "inode=" + inode.getId());
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_SYMLINK,
        ErrorCode.TOO_MANY_SYMLINKS,
        "inode=" + inode.getId());
    requireBytes(inode);
    Permissions.require(
        inode, operation.who(), write || truncate ? Permissions.WRITE : Permissions.READ);
    if (write || truncate) {
      requireNotHeld(operation, inode);
    }
    OpenResult.Builder open = OpenResult.newBuilder();
    Inode opened = inode;
    if (truncate) {
      open.setTruncatedLength(inode.getLength());
      opened = LengthChange.withLength(operation, inode, 0);
      operation.tree().put(opened);
    }
    if (write) {
      open.setSession(
          operation.tree().openSession(opened, operation.client(), operation.nowNanos(), WRITER));
    }
    return Operation.reply(opened).setOpen(open);
  }

  /** Opens a file for its client alone: nobody has it open for writing, nor can meanwhile. */
  static NamespaceReply.Builder alone(Operation operation, Inode inode) {
    Refusal.unless(
        operation.who().getUid() == 0, ErrorCode.NOT_PERMITTED, "files are held by user 0 only");
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_FILE,
        ErrorCode.INVALID_ARGUMENT,
        "not a file: inode=" + inode.getId());
    Refusal.unless(
        !operation.tree().sessions().isWritten(inode.getId()),
        ErrorCode.BAD_SESSION,
        "open for writing: inode=" + inode.getId());
    long session =
        operation.tree().openSession(inode, operation.client(), operation.nowNanos(), ALONE);
    return Operation.reply(inode).setOpen(OpenResult.newBuilder().setSession(session));
  }

  /** FIFOs, sockets and devices are opened by the kernel that has them. */
  public static void requireBytes(Inode inode) {
    Refusal.unless(
        inode.getType().getNumber() <= InodeType.INODE_TYPE_SYMLINK_VALUE,
        ErrorCode.UNSUPPORTED,
        "opened through a mount only: inode=" + inode.getId() + " type=" + inode.getType());
  }

  static void requireNotHeld(Operation operation, Inode inode) {
    Refusal.unless(
        !operation.tree().sessions().isHeld(inode.getId()),
        ErrorCode.CHUNK_BUSY,
        "held for a moment by a repair or a writer: inode=" + inode.getId());
  }
}
