package luciola.meta.namespace.change;

import luciola.grpc.v1.HoldLength;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.PublishLength;
import luciola.grpc.v1.Truncate;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Sessions;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/**
 * A file's length. Reports only raise it, and only within the truncate generation that their writer
 * knew: a report that a truncate has overtaken is ignored. A truncate sets it and starts a new
 * generation.
 */
final class LengthChange {
  private LengthChange() {}

  static NamespaceReply.Builder publish(Operation operation, PublishLength asked) {
    CloseChange.requireWrites(
        operation, new Sessions.Key(asked.getInode(), operation.client(), asked.getSession()));
    Inode inode =
        raised(
            operation,
            operation.tree().namedInode(asked.getInode()),
            asked.getLength(),
            asked.getTruncateGeneration());
    inode =
        inode.toBuilder()
            .setModifiedNanos(operation.nowNanos())
            .setChangedNanos(operation.nowNanos())
            .build();
    operation.tree().put(inode);
    return Operation.reply(inode);
  }

  static NamespaceReply.Builder truncate(Operation operation, Truncate asked) {
    Inode inode =
        operation
            .tree()
            .inode(asked.getInode())
            .filter(found -> !operation.tree().isRemoved(found))
            .orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + asked.getInode()));
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.IS_A_DIRECTORY,
        "inode=" + inode.getId());
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_FILE,
        ErrorCode.INVALID_ARGUMENT,
        "not a file: inode=" + inode.getId());
    OpenChange.requireNotHeld(operation, inode);
    if (!operation.tree().sessions().isWrittenBy(inode.getId(), operation.client())) {
      Permissions.require(inode, operation.who(), Permissions.WRITE);
    }
    Inode cut = withLength(operation, inode, asked.getLength());
    operation.tree().put(cut);
    return Operation.reply(cut);
  }

  /**
   * Lets a writer remove what lies past the end: whoever else wrote has told its length or is gone,
   * and nobody can begin to write until this session is done, or ends.
   */
  static NamespaceReply.Builder hold(Operation operation, HoldLength asked) {
    Tree tree = operation.tree();
    var session = new Sessions.Key(asked.getInode(), operation.client(), asked.getSession());
    CloseChange.requireWrites(operation, session);
    Inode inode = tree.namedInode(asked.getInode());
    if (asked.getDone()) {
      Refusal.unless(
          tree.sessions().isAlone(session),
          ErrorCode.BAD_SESSION,
          "not held: inode=" + inode.getId());
      inode = inode.toBuilder().clearUntold().build();
      tree.put(inode);
    } else {
      Refusal.unless(
          !tree.sessions().isWrittenBeside(session),
          ErrorCode.NOT_PERMITTED,
          "others write: inode=" + inode.getId());
    }
    tree.sessions().alone(session, !asked.getDone());
    return Operation.reply(inode);
  }

  static Inode withLength(Operation operation, Inode inode, long length) {
    requireLength(inode, length);
    operation.tree().usages().resized(inode, length);
    return inode.toBuilder()
        .setLength(length)
        .setTruncateGeneration(inode.getTruncateGeneration() + 1)
        .setModifiedNanos(operation.nowNanos())
        .setChangedNanos(operation.nowNanos())
        .build();
  }

  static Inode raised(Operation operation, Inode inode, long length, long generation) {
    if (generation != inode.getTruncateGeneration()
        || Long.compareUnsigned(length, inode.getLength()) <= 0) {
      return inode;
    }
    requireLength(inode, length);
    operation.tree().usages().resized(inode, length);
    return inode.toBuilder()
        .setLength(length)
        .setModifiedNanos(operation.nowNanos())
        .setChangedNanos(operation.nowNanos())
        .build();
  }

  /** Chunk indices are non-negative 32 bit numbers. */
  private static void requireLength(Inode inode, long length) {
    long max = (1L << 31) * inode.getLayout().getChunkBytes();
    Refusal.unless(
        length >= 0 && length <= max,
        ErrorCode.FILE_TOO_LARGE,
        "inode=" + inode.getId() + " length=" + Long.toUnsignedString(length) + " max=" + max);
  }
}
